import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createListener, type Server as Listener, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { InstanceSpec } from '@lxd-ts/core';
import { WebSocketServer } from 'ws';
import { devLxdAnswer, devLxdEvents, exportedImage, type DevLxdEvent } from './answer.ts';

/** What an instance may cost: it is not trusted. */
const maxConnections = 16;
const maxWaitingBytes = 256 * 1024;
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;

/** Somebody who listens to events. */
interface Subscriber {
  types: readonly string[];
  send(text: string): void;
}

interface Entry {
  spec: InstanceSpec;
  listener: Listener;
  sockets: Set<Socket>;
  subscribers: Set<Subscriber>;
}

export interface DevLxdOptions {
  /** Name of this member; `none` outside clusters. */
  location(): string;
  /** Sends the file of an image of this name, or says that there is none. */
  exportImage(project: string, name: string, response: ServerResponse): Promise<void>;
  now(): Date;
}

/**
 * `/dev/lxd/sock` of the instances that run here. Each has a socket of its own, so that who asks is known by where; it is
 * answered from what the instance is configured with, whether the control plane can be reached or not.
 */
export class DevLxd implements Disposable {
  readonly #options: DevLxdOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #entryOf = new WeakMap<Duplex, Entry>();
  readonly #http: Server;
  readonly #websockets = new WebSocketServer({ noServer: true, maxPayload: 1024 });

  constructor(options: DevLxdOptions) {
    this.#options = options;
    this.#http = createServer({ maxHeaderSize: 8192, keepAliveTimeout: 5_000 }, (request, response) =>
      this.#answer(request, response),
    );
    this.#http.headersTimeout = headersTimeoutMs;
    this.#http.requestTimeout = requestTimeoutMs;
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#http.on('clientError', (_, socket) => socket.destroy());
  }

  /**
   * From now on it is answered in `directory`, which the instance sees as `/dev/lxd`. What an earlier daemon left there is
   * taken over.
   */
  async open(id: string, directory: string, spec: InstanceSpec): Promise<void> {
    await this.end(id);
    await mkdir(directory, { recursive: true, mode: 0o755 });
    const path = join(directory, 'sock');
    await rm(path, { force: true });
    const entry: Entry = { spec, listener: createListener(), sockets: new Set(), subscribers: new Set() };
    entry.listener.maxConnections = maxConnections;
    entry.listener.on('connection', (socket) => {
      entry.sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => entry.sockets.delete(socket));
      this.#entryOf.set(socket, entry);
      this.#http.emit('connection', socket);
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    entry.listener.once('error', reject).listen(path, resolve);
    await promise;
    entry.listener.unref();
    // Everybody inside may ask, as in LXD.
    await chmod(path, 0o666);
    this.#entries.set(id, entry);
  }

  /** It is configured otherwise: who listens inside is told. */
  update(id: string, spec: InstanceSpec): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    const events = devLxdEvents(entry.spec, spec);
    entry.spec = spec;
    for (const event of events) this.#tell(entry, event);
  }

  /** Nothing is left of it. */
  async close(id: string, directory: string): Promise<void> {
    await this.end(id);
    await rm(directory, { recursive: true, force: true });
  }

  isOpen(id: string): boolean {
    return this.#entries.has(id);
  }

  /** Nobody is answered any more. */
  async end(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    const closed = new Promise<void>((resolve) => entry.listener.close(() => resolve()));
    for (const socket of entry.sockets) socket.destroy();
    await closed;
  }

  #tell(entry: Entry, event: DevLxdEvent): void {
    const { type, metadata } = event;
    const text = JSON.stringify({ timestamp: this.#options.now().toISOString(), type, metadata });
    for (const { types, send } of entry.subscribers) if (types.includes(type)) send(text);
  }

  /** @returns undefined when it asks for what there is not */
  #subscribe(entry: Entry, url: URL, send: (text: string) => void): Disposable | undefined {
    const types = (url.searchParams.get('type') || 'config,device').split(',');
    if (types.some((type) => type !== 'config' && type !== 'device')) return undefined;
    const subscriber: Subscriber = { types, send };
    entry.subscribers.add(subscriber);
    return { [Symbol.dispose]: () => void entry.subscribers.delete(subscriber) };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const entry = this.#entryOf.get(request.socket);
    const url = URL.parse(request.url ?? '/', 'http://lxd');
    if (!entry || !url) {
      response.writeHead(400).end();
      return;
    }
    if (url.pathname === '/1.0/events') {
      const subscribed = this.#subscribe(entry, url, (text) => {
        if (response.writableLength > maxWaitingBytes) request.socket.destroy();
        else response.write(`${text}\n`);
      });
      if (!subscribed) {
        response.writeHead(400, { 'Content-Type': 'text/plain; charset=utf-8' }).end('Invalid event type\n');
        return;
      }
      response.once('close', () => subscribed[Symbol.dispose]());
      response.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders();
      return;
    }
    const image = exportedImage(url.pathname, entry.spec);
    if (image !== undefined) {
      this.#options.exportImage(entry.spec.project, image, response).catch(() => response.destroy());
      request.resume();
      return;
    }
    const { status, type, body } = devLxdAnswer(url.pathname, entry.spec, this.#options.location());
    response
      .writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) })
      .end(request.method === 'HEAD' ? undefined : body);
    // A body is read and forgotten.
    request.resume();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const entry = this.#entryOf.get(socket);
    const url = URL.parse(request.url ?? '/', 'http://lxd');
    if (!entry || url?.pathname !== '/1.0/events') {
      socket.destroy();
      return;
    }
    this.#websockets.handleUpgrade(request, socket, head, (websocket) => {
      websocket.on('error', () => undefined);
      const subscribed = this.#subscribe(entry, url, (text) => {
        if (websocket.bufferedAmount > maxWaitingBytes) websocket.terminate();
        else websocket.send(text);
      });
      if (subscribed) websocket.once('close', () => subscribed[Symbol.dispose]());
      else websocket.close(1008, 'Invalid event type');
    });
  }

  /** The next daemon takes over what is there. */
  [Symbol.dispose](): void {
    for (const id of [...this.#entries.keys()]) void this.end(id);
    this.#websockets.close();
  }
}
