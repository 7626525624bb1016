import { LxdError } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { WebSocket } from 'ws';
import type { Lifecycle } from '../../services.ts';

const types = ['logging', 'operation', 'lifecycle'] as const;
export type EventType = (typeof types)[number];

interface Listener {
  socket: WebSocket;
  types: ReadonlySet<string>;
  /** Undefined: of all projects. */
  project: string | undefined;
}

/** A client that does not read is dropped before its events fill our memory. */
const maxBufferedBytes = 8 * 1024 * 1024;

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value ?? null);

function deliver(socket: WebSocket, text: string): void {
  if (socket.bufferedAmount > maxBufferedBytes) socket.terminate();
  else socket.send(text);
}

/** Everybody who listens on `/1.0/events`. */
export class EventHub {
  readonly #listeners = new Set<Listener>();
  /** Other servers, which pass on what happens here. */
  readonly #servers = new Set<WebSocket>();
  readonly #clock: { now(): Date };

  readonly #location: string;

  /** @param location the member's name in a cluster, else `none` */
  constructor(clock: { now(): Date }, location = 'none') {
    this.#clock = clock;
    this.#location = location;
  }

  /** @throws LxdError `invalid` for an unknown type */
  static parseTypes(text: string | null): ReadonlySet<string> {
    const wanted = text ? text.split(',') : types;
    const wrong = wanted.find((type) => !(types as readonly string[]).includes(type));
    if (wrong !== undefined) {
      throw new LxdError('invalid', `"${wrong}" isn't a supported event type (use ${types.join(', ')})`);
    }
    return new Set(wanted);
  }

  add(socket: WebSocket, wanted: ReadonlySet<string>, project: string | undefined): void {
    const listener: Listener = { socket, types: wanted, project };
    this.#listeners.add(listener);
    socket.on('error', () => undefined); // followed by close
    socket.once('close', () => this.#listeners.delete(listener));
  }

  /** Another server of the control plane hears of everything that happens here. */
  addServer(socket: WebSocket): void {
    this.#servers.add(socket);
    socket.on('error', () => undefined); // followed by close
    socket.once('close', () => this.#servers.delete(socket));
  }

  /** An event of another server, as it sent it. */
  relay(text: string): void {
    const { type, project } = JSON.parse(text) as { type: EventType; project?: string };
    this.#tell(type, project, () => text);
  }

  #send(type: EventType, project: string | undefined, metadata: unknown): void {
    let text: string | undefined;
    const asText = (): string =>
      (text ??= JSON.stringify({
        type,
        timestamp: this.#clock.now().toISOString(),
        metadata,
        location: this.#location,
        ...(project === undefined ? {} : { project }),
      }));
    this.#tell(type, project, asText);
    for (const socket of this.#servers) deliver(socket, asText());
  }

  #tell(type: EventType, project: string | undefined, text: () => string): void {
    for (const listener of this.#listeners) {
      if (!listener.types.has(type)) continue;
      if (listener.project !== undefined && project !== undefined && listener.project !== project) continue;
      deliver(listener.socket, text());
    }
  }

  lifecycle({ action, source, project, context, requestor }: Lifecycle): void {
    const who = requestor && { ...requestor, address: '@' };
    this.#send('lifecycle', project, {
      action,
      source,
      ...(context ? { context } : {}),
      ...(who ? { requestor: who } : {}),
    });
  }

  operation(operation: OperationView, project: string): void {
    this.#send('operation', project, operation);
  }

  logging(level: string, message: string, fields: Record<string, unknown> = {}): void {
    if (this.#listeners.size + this.#servers.size === 0) return;
    const context = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, asText(value)]));
    this.#send('logging', undefined, { message, level, context });
  }

  /** Clients wait for this to know that the daemon is gone. */
  close(): void {
    for (const { socket } of this.#listeners) socket.close(1001);
    for (const socket of this.#servers) socket.close(1001);
    this.#listeners.clear();
  }
}
