import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { LxdError } from '@lxd-ts/core';
import type { Endpoint } from './endpoint.ts';
import { openEnvelope, type Reply } from './envelope.ts';
import { createTransport, type Transport } from './transport.ts';
import type { Operation } from './types.ts';

export interface RequestOptions {
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is; `body` is ignored. */
  stream?: Readable;
  headers?: OutgoingHttpHeaders;
  query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as If-Match: the change is refused (`precondition-failed`) when the thing has changed since. */
  etag?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface Answer<T> {
  metadata: T;
  etag: string;
}

export interface ClientOptions {
  endpoint: Endpoint;
  /** Added to every request as `?project=`. */
  project?: string | undefined;
  userAgent?: string;
  /** Told of every request, for `--debug`. */
  onRequest?: (method: string, path: string, status: number) => void;
}

/** The LXD 1.0 API as a client sees it. Paths are given whole, e.g. `/1.0/instances/c1`. Every failure is an LxdError. */
export class Client implements Disposable {
  readonly endpoint: Endpoint;
  readonly #options: ClientOptions;
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    this.endpoint = options.endpoint;
    this.#options = options;
    this.#transport = createTransport(options.endpoint);
  }

  /** `path` with the query, and the project where none is named. */
  resolve(path: string, query: RequestOptions['query'] = {}): string {
    const url = new URL(path, 'http://lxd');
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    const { project } = this.#options;
    if (project && url.pathname.startsWith('/1.0') && !url.searchParams.has('project')) {
      url.searchParams.set('project', project);
    }
    return url.pathname + url.search;
  }

  /** The answer as it comes; the caller reads the body. */
  async raw(method: string, path: string, options: RequestOptions = {}): Promise<IncomingMessage> {
    const { body, stream, headers, query, etag, signal } = options;
    const json = stream || body === undefined ? undefined : JSON.stringify(body);
    const resolved = this.resolve(path, query);
    const response = await this.#transport.send({
      method,
      path: resolved,
      headers: {
        'user-agent': this.#options.userAgent ?? 'lxd-ts',
        ...(json === undefined
          ? stream
            ? {}
            : { 'content-length': 0 }
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }),
        ...(etag ? { 'if-match': etag } : {}),
        ...headers,
      },
      ...(stream ? { body: stream } : json === undefined ? {} : { body: json }),
      signal,
    });
    this.#options.onRequest?.(method, resolved, response.statusCode ?? 0);
    return response;
  }

  async request(
    method: string,
    path: string,
    options: RequestOptions = {},
  ): Promise<Reply & { etag: string }> {
    const response = await this.raw(method, path, options);
    const reply = openEnvelope(response.statusCode ?? 0, await text(response));
    return { ...reply, etag: response.headers.etag ?? '' };
  }

  async get<T>(path: string, options: RequestOptions = {}): Promise<T> {
    return (await this.getWithEtag<T>(path, options)).metadata;
  }

  async getWithEtag<T>(path: string, options: RequestOptions = {}): Promise<Answer<T>> {
    const reply = await this.request('GET', path, options);
    if (reply.kind !== 'sync') throw new LxdError('internal', `GET ${path} started an operation`);
    return { metadata: reply.metadata as T, etag: reply.etag };
  }

  /** A request that changes something. The operation is returned, not waited for, when the server started one. */
  async change(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    options: RequestOptions = {},
  ): Promise<Operation | undefined> {
    const reply = await this.request(method, path, options);
    return reply.kind === 'operation' ? reply.operation : undefined;
  }

  /** A file's bytes as a stream; an error envelope is thrown. */
  async download(path: string, options: RequestOptions = {}): Promise<IncomingMessage> {
    const response = await this.raw('GET', path, options);
    if ((response.statusCode ?? 0) >= 400) openEnvelope(response.statusCode ?? 0, await text(response));
    return response;
  }

  close(): void {
    this.#transport.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
