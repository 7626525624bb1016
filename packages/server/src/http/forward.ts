import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LxdError, toLxdError } from '@lxd-ts/core';
import { callerHeader } from './authenticate.ts';
import { sendError } from './reply.ts';
import type { Caller } from './route.ts';

/** A fresh connection to where a request is answered. May throw at once. */
export type Connect = () => Duplex;

/** They are between us and each neighbour, not from end to end (RFC 9110 §7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
]);

function passedOn(headers: NodeJS.Dict<string | string[]>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || hopByHop.has(name) || name === callerHeader ? [] : [[name, value]],
    ),
  );
}

const lost = (error: unknown): LxdError =>
  error instanceof LxdError
    ? error
    : new LxdError('unavailable', `The member that answers was lost: ${toLxdError(error).message}`, {
        cause: error,
      });

/** Who asks, for a server that believes us. */
const sayCaller = (caller: Caller | undefined): Record<string, string> =>
  caller ? { [callerHeader]: JSON.stringify(caller) } : {};

/**
 * Has another server answer a request; bodies go through as they come. Never throws.
 * @param caller absent: whoever holds the connection
 */
export async function forwardRequest(
  request: IncomingMessage,
  response: ServerResponse,
  connect: Connect,
  caller?: Caller,
): Promise<void> {
  try {
    const connection = connect();
    const onward = httpRequest({
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: { ...passedOn(request.headers), ...sayCaller(caller) },
      setHost: false,
      createConnection: () => connection,
    });
    response.once('close', () => {
      if (!response.writableFinished) onward.destroy();
    });
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      onward.once('response', resolve).once('error', reject);
    });
    // An answer may come before the body was read to its end, e.g. a refusal.
    pipeline(request, onward).catch(() => undefined);
    const reply = await answer;
    response.writeHead(reply.statusCode ?? 502, passedOn(reply.headers));
    await pipeline(reply, response);
  } catch (error) {
    sendError(response, lost(error));
  }
}

function headOf(request: IncomingMessage, caller: Caller | undefined): string {
  const lines = [`${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/1.1`];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? '';
    if (name.toLowerCase() !== callerHeader) lines.push(`${name}: ${request.rawHeaders[i + 1] ?? ''}`);
  }
  for (const [name, value] of Object.entries(sayCaller(caller))) lines.push(`${name}: ${value}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** The same for an upgrade: from here on bytes go both ways until either side ends. */
export function forwardUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  connect: Connect,
  caller?: Caller,
): void {
  socket.on('error', () => undefined); // its end is what counts
  let connection: Duplex;
  try {
    connection = connect();
  } catch {
    socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
    return;
  }
  connection.on('error', () => undefined);
  connection.write(headOf(request, caller));
  if (head.length > 0) connection.write(head);
  pipeline(socket, connection, socket).catch(() => undefined);
}
