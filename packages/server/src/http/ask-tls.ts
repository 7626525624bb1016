import { request, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LxdError } from '@lxd-ts/core';
import { dialTls } from './dial-tls.ts';

export interface TlsRequest {
  /** PEM that the server must show; absent: one that the machine trusts. */
  certificate?: string | undefined;
  method?: string;
  headers?: Record<string, string>;
  body?: Readable;
  /** It is given up when nothing comes or goes for so long, before the answer or within it; absent: never. */
  stalledMs?: number | undefined;
}

/** Asks a server once, on a connection of its own, which ends with the answer. @throws LxdError `unavailable` */
export async function askTls(
  url: URL,
  { certificate, method = 'GET', headers = {}, body, stalledMs }: TlsRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  signal.throwIfAborted();
  const socket = await dialTls(url, certificate, signal);
  return new Promise<IncomingMessage>((resolve, reject) => {
    const fail = (error: Error) =>
      reject(new LxdError('unavailable', `${url.host} does not answer: ${error.message}`, { cause: error }));
    const sent = request({
      method,
      host: url.hostname,
      path: `${url.pathname}${url.search}`,
      headers: { Host: url.host, 'User-Agent': 'lxd-ts', ...headers },
      createConnection: () => socket,
      signal,
    });
    let answer: IncomingMessage | undefined;
    if (stalledMs !== undefined)
      socket.setTimeout(stalledMs, () => (answer ?? sent).destroy(new Error('it sends nothing any more')));
    sent.once('response', (response) => {
      answer = response;
      response.once('close', () => socket.destroy());
      resolve(response);
    });
    // There may be another one after the answer has begun; whoever reads that hears of it.
    sent.on('error', fail);
    if (body) pipeline(body, sent).catch(fail);
    else sent.end();
  });
}
