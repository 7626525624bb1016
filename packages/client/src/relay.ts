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
  // It may be so already: others were opened meanwhile.
  if (from.readyState === from.CLOSED) to.close();
  else from.once('close', () => to.close());
}

/** Carries every websocket that both operations offer from one server to the other, until both sides have closed. */
export async function relay(source: RelayEnd, target: RelayEnd, signal?: AbortSignal): Promise<void> {
  const [ours, theirs] = [secretsOf(source.operation), secretsOf(target.operation)];
  const names = Object.keys(theirs).filter((name) => name in ours);
  if (names.length === 0) throw new LxdError('internal', 'The servers offer no websockets in common');
  const opened: WebSocket[] = [];
  const closed: Promise<unknown>[] = [];
  const open = async ({ client, operation }: RelayEnd, secret = ''): Promise<WebSocket> => {
    const socket = await openWebSocket(client, `${operationPath(operation)}/websocket?secret=${secret}`, {
      signal,
    });
    opened.push(socket);
    closed.push(new Promise((resolve) => socket.once('close', resolve)));
    return socket;
  };
  const pairs: [WebSocket, WebSocket][] = [];
  try {
    // One after the other: two that are opened at the same time may end a LXD 5.0 ("close of closed channel").
    for (const name of names) pairs.push([await open(source, ours[name]), await open(target, theirs[name])]);
  } catch (error) {
    for (const socket of opened) socket.terminate();
    throw error;
  }
  for (const [from, to] of pairs) {
    forward(from, to);
    forward(to, from);
    from.resume();
    to.resume();
  }
  await Promise.all(closed);
}
