import type { OperationId } from './operation-types.ts';

/** One operation of the document, as a router needs it. */
export interface ApiRoute {
  operationId: OperationId;
  method: 'get' | 'head' | 'put' | 'patch' | 'post' | 'delete';
  /** With parameters in braces: `/1.0/instances/{name}`. */
  path: string;
  /** Older spellings of the path, answered in the same way. */
  aliases: readonly string[];
  /** `binary`: any body, told apart by its content type. `json-or-file`: JSON, unless that says `application/octet-stream`. */
  requestBody: 'json' | 'json-or-file' | 'binary' | 'multipart' | 'none';
  queryParameters: readonly string[];
  /** Path parameters that may contain slashes; they come last in the path. */
  slashes: readonly string[];
  /** Only answered to an upgrade, of a websocket mostly. */
  websocket: boolean;
  /** Also for clients that are not trusted. */
  public: boolean;
}
