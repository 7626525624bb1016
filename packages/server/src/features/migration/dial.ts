import { X509Certificate } from 'node:crypto';
import { LxdError } from '@lxd-ts/core';
import { WebSocket } from 'ws';
import { dialTls } from '../../http/dial-tls.ts';

/** An operation of another server that waits for its sockets. */
export interface RemoteOperation {
  /** `https://HOST:PORT/1.0/operations/ID` */
  operation: string;
  /** Name → secret. */
  secrets: Readonly<Record<string, string>>;
  /** PEM of that server; absent: what the machine trusts. */
  certificate?: string | undefined;
}

const connectTimeoutMs = 10_000;
/** The description of an instance with many snapshots is one message. */
const maxMessageBytes = 64 * 1024 * 1024;

/** @throws LxdError `invalid` naming the field */
export function checkRemote(
  { operation, secrets, certificate }: RemoteOperation,
  names: readonly string[],
): URL {
  const url = URL.parse(operation);
  if (url?.protocol !== 'https:' || !/^\/1\.0\/operations\/[0-9A-Za-z-]+$/.test(url.pathname))
    throw new LxdError(
      'invalid',
      `"operation" must be https://HOST:PORT/1.0/operations/ID, not "${operation}"`,
    );
  for (const name of names)
    if (!secrets[name]) throw new LxdError('invalid', `"secrets" has none for "${name}"`);
  try {
    if (certificate) new X509Certificate(certificate);
  } catch (error) {
    throw new LxdError('invalid', '"certificate" is not a certificate in PEM', { cause: error });
  }
  return url;
}

/** One socket of the operation, paused: nothing is lost before somebody listens. @throws LxdError `unavailable` */
export async function dial(remote: RemoteOperation, name: string, signal: AbortSignal): Promise<WebSocket> {
  const url = checkRemote(remote, [name]);
  const tls = await dialTls(url, remote.certificate, signal);
  const query = new URLSearchParams({ secret: remote.secrets[name] ?? '' });
  const socket = new WebSocket(`ws://${url.host}${url.pathname}/websocket?${query.toString()}`, {
    createConnection: () => tls,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handshakeTimeout: connectTimeoutMs,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_request, response) => {
      tls.destroy();
      reject(
        new LxdError('unavailable', `${url.host} refused the socket "${name}": ${response.statusCode ?? ''}`),
      );
    });
    socket.once('error', ({ message }: Error) => {
      reject(new LxdError('unavailable', `Cannot connect to ${url.host}: ${message}`));
    });
  });
  socket.pause();
  socket.on('error', () => undefined);
  return socket;
}
