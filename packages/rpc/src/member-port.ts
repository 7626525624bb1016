import { createServer, type Socket } from 'node:net';
import { LxdError } from '@lxd-ts/core';
import { serverNameOf } from './client-hello.ts';

/** Who takes a connection whose first bytes have been looked at and put back. */
export type Accept = (socket: Socket) => void;

/** Of the names by which members ask for what is not for clients. */
export const internalSuffix = '.lxd-ts';

/** One TCP port for all that a member serves over TLS: the name a client asks for says what it wants. */
export interface MemberPort extends AsyncDisposable {
  /** `HOST:PORT` it listens on. */
  address: string;
  port: number;
  /** From now on connections for this name go there; undefined ends it. `''` is every other name. */
  route(name: string, accept: Accept | undefined): void;
}

/** Long enough for a slow link, short enough that nobody can hold many for nothing. */
const helloTimeoutMs = 10_000;
const helloMaxBytes = 16 * 1024 + 5;

/** `[::1]:8443` or `10.0.0.1:8443` as host and port. @throws LxdError `invalid` */
export function splitAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]*)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw new LxdError('invalid', `"${address}" is not HOST:PORT`);
  return { host: match[1] ?? match[2] ?? '', port };
}

function dispatch(socket: Socket, routes: ReadonlyMap<string, Accept>): void {
  socket.on('error', () => undefined); // its end is what counts
  const timer = setTimeout(() => socket.destroy(), helloTimeoutMs);
  socket.once('close', () => clearTimeout(timer));
  const look = (): void => {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) {
      if (!socket.readableEnded) socket.once('readable', look);
      return;
    }
    const hello = serverNameOf(bytes);
    socket.unshift(bytes);
    if (hello === 'more' && bytes.length < helloMaxBytes) {
      // What was put back would be "readable" at once.
      setTimeout(() => socket.once('readable', look), 5);
      return;
    }
    clearTimeout(timer);
    const name = hello === 'more' ? '' : (hello.name ?? '');
    // What members ask each other for is never somebody else's.
    const accept = routes.get(name) ?? (name.endsWith(internalSuffix) ? undefined : routes.get(''));
    if (accept) accept(socket);
    else socket.destroy();
  };
  socket.once('readable', look);
}

/**
 * @param address `HOST:PORT`; no host: all of the machine's; port 0 chooses one
 * @throws LxdError `conflict` when it is taken
 */
export async function openMemberPort(address: string): Promise<MemberPort> {
  const { host, port } = splitAddress(address);
  const routes = new Map<string, Accept>();
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    dispatch(socket, routes);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new LxdError(
          error.code === 'EADDRINUSE' ? 'conflict' : 'invalid',
          `Cannot listen on "${address}": ${error.code ?? error.message}`,
          { cause: error },
        ),
      ),
    );
    server.listen({ ...(host ? { host } : {}), port }, resolve);
  });
  const bound = server.address();
  const actual = typeof bound === 'object' && bound ? bound.port : port;
  return {
    address: host.includes(':') ? `[${host}]:${actual}` : `${host}:${actual}`,
    port: actual,
    route(name, accept) {
      if (accept) routes.set(name, accept);
      else routes.delete(name);
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((done) => server.close(done));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
