import type { operations } from './types.gen.ts';

/** Name of an operation of the document, e.g. `instancesPost`. */
export type OperationId = keyof operations;

type Json<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;

/** The JSON body an operation takes; undefined when it takes none. */
export type RequestBody<Id extends OperationId> = operations[Id] extends {
  requestBody: { content: { 'application/json': infer Body } };
}
  ? Body
  : undefined;

/** The `metadata` of an operation's synchronous answer. */
export type ResponseMetadata<Id extends OperationId> = operations[Id] extends {
  responses: { 200: infer Answer };
}
  ? Json<Answer> extends { metadata: infer Metadata }
    ? Metadata
    : never
  : never;
