import { createConnection } from 'node:net';
import type { WebSocket } from 'ws';
import { LxdError } from '@lxd-ts/core';
import type { Client } from './client.ts';
import { connectionError } from './connection-error.ts';
import { openEnvelope } from './envelope.ts';

/**
 * Opens a websocket of the API; resolves when it is open. It is paused, or what comes at once would be lost: whoever
 * listens resumes it. `ws` is loaded at the first one.
 */
export async function openWebSocket(
  client: Client,
  path: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<WebSocket> {
  const { WebSocket } = await import('ws');
  const { endpoint } = client;
  const { signal } = options;
  signal?.throwIfAborted();
  const resolved = client.resolve(path);
  const settings = { perMessageDeflate: false, skipUTF8Validation: true } as const;
  const socket =
    endpoint.kind === 'unix'
      ? new WebSocket(`ws://lxd${resolved}`, {
          ...settings,
          createConnection: () => createConnection(endpoint.socketPath),
        })
      : new WebSocket(`${endpoint.url.replace(/^http/, 'ws')}${resolved}`, {
          ...settings,
          ...(await import('./tls.ts')).tlsConnection(endpoint.tls),
        });

  const opened = Promise.withResolvers<WebSocket>();
  socket.once('open', () => {
    socket.pause();
    opened.resolve(socket);
  });
  // Stays attached: a socket that fails later closes, and its reader sees the close.
  socket.on('error', (error) => {
    opened.reject(connectionError(error, endpoint));
  });
  socket.once('unexpected-response', (_request, response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      try {
        openEnvelope(response.statusCode ?? 0, Buffer.concat(chunks).toString());
        opened.reject(new LxdError('internal', `No websocket at ${path}`));
      } catch (error) {
        opened.reject(error);
      }
    });
  });
  const abort = (): void => {
    socket.terminate();
    opened.reject(signal?.reason);
  };
  signal?.addEventListener('abort', abort, { once: true });
  socket.once('close', () => {
    signal?.removeEventListener('abort', abort);
    opened.reject(new LxdError('unavailable', `The websocket at ${path} was closed`));
  });
  return opened.promise;
}
