import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Shown } from './authenticate.ts';
import type { Connect } from './forward.ts';
import type { OperationView } from '@lxd-ts/operations';

export interface Caller {
  protocol: 'unix' | 'tls';
  /** The member whose server was asked, where it was not this one. */
  via?: string;
  /** Whether it may do anything beside what is open to all. */
  trusted: boolean;
  /** Name shown in operations and lifecycle events. */
  username: string;
  /** `HOST:PORT` it came from; `@`: the unix socket. */
  address?: string;
  /** That it has shown, over TLS. */
  certificate?: Shown;
  /** Only these; absent: all. */
  projects?: string[];
}

/** What a handler sees of a request: authenticated, its body validated against the OpenAPI document. */
export interface RequestContext<Body = unknown> {
  caller: Caller;
  /** Decoded path parameters. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** `?project=`, default `default`. */
  project: string;
  /** The JSON body, validated; undefined for requests without one. */
  body: Body;
  /** The raw body, for routes with a binary one. */
  stream: Readable;
  /** `1.0/instances` or `1.0/containers`: how the caller spells instances, for the links in answers. */
  instancesPath: string;
  /** Aborted when the caller goes away (not for operations: they go on). */
  signal: AbortSignal;
  /** Throws 412 when If-Match is given and differs from the tag of `value` (see etag.ts). */
  checkETag(value: unknown): void;
}

/** What a handler answers. The HTTP status is written in one place, from this. */
export type Reply =
  | { kind: 'sync'; metadata: unknown; etag?: unknown; headers?: Record<string, string> }
  | { kind: 'empty'; location?: string; created?: boolean }
  | { kind: 'operation'; operation: OperationView }
  /** `length`: bytes, where they are known; the answer is cut off when fewer come. */
  | { kind: 'stream'; body: Readable; headers: Record<string, string>; length?: number }
  /** `Upgrade: <protocol>` only: bytes go both ways from here on. */
  | { kind: 'upgrade'; protocol: string; stream: Duplex }
  /** Another server answers. Not for operations with a body: it is read already. */
  | { kind: 'forward'; connect: Connect }
  /** `Upgrade: websocket` only. */
  | { kind: 'websocket'; accept: (socket: WebSocket) => void };

/** One operation of the OpenAPI document. Method, path, body kind and parameters come from the document. */
export interface Route<Body = never> {
  operationId: string;
  /** Also for callers that are not trusted; the handler looks at `caller.trusted` itself. */
  untrusted?: boolean;
  handle(request: RequestContext<Body>): Promise<Reply>;
}

export const sync = (metadata: unknown, etag?: unknown): Reply =>
  etag === undefined ? { kind: 'sync', metadata } : { kind: 'sync', metadata, etag };
export const empty: Reply = { kind: 'empty' };
export const created = (location: string): Reply => ({ kind: 'empty', location, created: true });
export const started = (operation: OperationView): Reply => ({ kind: 'operation', operation });
