import { LxdError } from '@lxd-ts/core';
import type { WebSocket } from 'ws';
import type { Services } from '../../services.ts';

/** Time for a client to connect what it asked for. */
const connectTimeoutMs = 5_000;

/** The sockets of a websocket operation: one secret each, connected in any order. */
export class Sockets {
  /** Name (`0`, `control`) → secret, for `metadata.fds`. */
  readonly fds: Record<string, string> = {};
  /** For the operation: secret → what takes the socket. */
  readonly handlers: Record<string, (socket: unknown) => void> = {};
  readonly #connected = new Map<string, PromiseWithResolvers<WebSocket>>();

  constructor(services: Services, names: readonly string[]) {
    for (const name of names) {
      const secret = `${services.uuid()}${services.uuid()}`.replaceAll('-', '');
      const waiting = Promise.withResolvers<WebSocket>();
      this.fds[name] = secret;
      this.#connected.set(name, waiting);
      this.handlers[secret] = (socket) => {
        const connected = socket as WebSocket;
        // Nothing is lost before somebody listens.
        connected.pause();
        connected.on('error', () => undefined);
        waiting.resolve(connected);
      };
    }
  }

  /** @throws LxdError `timeout` when the client does not come */
  async get(name: string, signal: AbortSignal, timeoutMs = connectTimeoutMs): Promise<WebSocket> {
    const waiting = this.#connected.get(name);
    if (!waiting) throw new LxdError('internal', `no socket "${name}"`);
    const given = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => given.reject(new LxdError('timeout', 'Timed out waiting for websockets to connect')),
      timeoutMs,
    );
    const abort = () => given.reject(new LxdError('cancelled', 'The operation was cancelled'));
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([waiting.promise, given.promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  /** Once it is connected; perhaps never. */
  whenConnected(name: string, use: (socket: WebSocket) => void): void {
    void this.#connected.get(name)?.promise.then(use);
  }

  /** Closes those that are connected, and those that still come. */
  close(): void {
    for (const { promise } of this.#connected.values()) void promise.then((socket) => socket.close(1000));
  }
}
