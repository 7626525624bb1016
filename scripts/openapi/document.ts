import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  required?: string[];
  allOf?: Schema[];
  anyOf?: Schema[];
  [keyword: string]: unknown;
}

export type Content = Record<string, { schema?: Schema }>;

export interface Parameter {
  name: string;
  in: 'query' | 'path' | 'header';
  'x-slashes'?: boolean;
}

export interface Operation {
  operationId: string;
  parameters?: { $ref: string }[];
  requestBody?: { content: Content };
  responses: Record<string, { $ref?: string; content?: Content }>;
  security?: Record<string, string[]>[];
  'x-websocket'?: boolean;
}

export const methods = ['get', 'head', 'put', 'patch', 'post', 'delete'] as const;

export type PathItem = { [method in (typeof methods)[number]]?: Operation } & {
  parameters?: { $ref: string }[];
  'x-aliases'?: string[];
};

export interface Document {
  paths: Record<string, PathItem>;
  components: {
    schemas: Record<string, Schema>;
    parameters: Record<string, Parameter>;
    responses: Record<string, { content?: Content }>;
  };
}

export const readDocument = (file: string): Document => parse(readFileSync(file, 'utf8')) as Document;

/** `#/components/schemas/Instance` → `Instance` */
export const nameOf = (reference: string): string => reference.slice(reference.lastIndexOf('/') + 1);

/** Every operation with its path, in the order of the document. */
export function operationsOf(document: Document) {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method];
      return operation ? [{ path, method, item, operation }] : [];
    }),
  );
}

/** The schemas as one self-contained JSON Schema, without what is only for people. */
export function definitionsOf(document: Document): Record<string, Schema> {
  const text = JSON.stringify(document.components.schemas, (key, value: unknown) =>
    (key === 'description' || key === 'examples') && !(typeof value === 'object' && !Array.isArray(value))
      ? undefined
      : value,
  );
  return JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as Record<string, Schema>;
}
