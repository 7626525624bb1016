import type { WebSocket } from 'ws';
import { LxdError } from '@lxd-ts/core';
import type { Client } from './client.ts';
import { operationPath } from './operation.ts';
import type { Operation } from './types.ts';
import { openWebSocket } from './websocket.ts';

/** One end of what is relayed: an operation of a server that offers websockets. */
export interface RelayEnd {
  client: Client;
  operation: Operation;
}

/** The secrets of an operation's websockets by their names, e.g. `control` and `fs` of a migration. */
export function secretsOf(operation: Operation): Record<string, string> {
  const secrets = Object.entries(operation.metadata ?? {}).filter(([, value]) => typeof value === 'string');
  return Object.fromEntries(secrets) as Record<string, string>;
}

/** Messages as they come, no faster than the other side takes them. */
function forward(from: WebSocket, to: WebSocket): void {
  from.on('message', (data: Buffer, isBinary: boolean) => {
    if (to.readyState !== to.OPEN) return;
    from.pause();
    to.send(data, { binary: isBinary }, () => {
      from.resume();
    });
  });
  from.once('close', () => {
    to.close();
  });
}

/** Carries every websocket that both operations offer from one server to the other, until both sides have closed. */
export async function relay(source: RelayEnd, target: RelayEnd, signal?: AbortSignal): Promise<void> {
  const [ours, theirs] = [secretsOf(source.operation), secretsOf(target.operation)];
  const names = Object.keys(theirs).filter((name) => name in ours);
  if (names.length === 0) throw new LxdError('internal', 'The servers offer no websockets in common');
  const open = ({ client, operation }: RelayEnd, secret = ''): Promise<WebSocket> =>
    openWebSocket(client, `${operationPath(operation)}/websocket?secret=${secret}`, { signal });
  await Promise.all(
    names.map(async (name) => {
      const [from, to] = await Promise.all([open(source, ours[name]), open(target, theirs[name])]);
      const closed = Promise.all(
        [from, to].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
      );
      forward(from, to);
      forward(to, from);
      from.resume();
      to.resume();
      await closed;
    }),
  );
}
