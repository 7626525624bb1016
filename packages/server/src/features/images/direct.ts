import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { LxdError } from '@lxd-ts/core';
import { authorities } from '../../http/dial-tls.ts';
import type { RemoteFile } from './download.ts';

const timeoutMs = 30_000;
const maxRedirects = 5;

/** @throws LxdError `invalid` */
export function checkUrl(text: string): URL {
  if (text === '') throw new LxdError('invalid', 'Missing URL');
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new LxdError('invalid', `"source.url" must begin with https:// or http://, not "${text}"`);
  return url;
}

async function ask(
  url: URL,
  method: 'GET' | 'HEAD',
  headers: Record<string, string>,
  signal: AbortSignal,
  redirects = maxRedirects,
): Promise<IncomingMessage> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const fail = (error: Error) =>
      reject(new LxdError('unavailable', `${url.host} does not answer: ${error.message}`, { cause: error }));
    const options = { method, headers: { 'User-Agent': 'lxd-ts', ...headers }, signal, timeout: timeoutMs };
    const sent =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, ca: authorities() })
        : httpRequest(url, options);
    sent.once('response', resolve).once('error', fail).end();
    sent.once('timeout', () => sent.destroy(new Error('it sends nothing')));
  });
  const { statusCode = 0, headers: told } = response;
  if (statusCode < 300 || statusCode >= 400 || told.location === undefined || redirects === 0)
    return response;
  response.destroy();
  const next = checkUrl(URL.parse(told.location, url.href)?.href ?? told.location);
  // What came over TLS is not looked for without.
  if (url.protocol === 'https:' && next.protocol !== 'https:')
    throw new LxdError('unavailable', `${url.host} leads to ${next.href}, which is not https`);
  return ask(next, method, headers, signal, redirects - 1);
}

/** What an address says of the image that it stands for: which it is, and where its file is. @throws LxdError */
export async function describeUrl(
  text: string,
  architecture: string,
  signal: AbortSignal,
): Promise<{ fingerprint: string; file: RemoteFile }> {
  const url = checkUrl(text);
  const response = await ask(url, 'HEAD', { 'LXD-Server-Architectures': architecture }, signal);
  response.destroy();
  const { 'lxd-image-hash': fingerprint, 'lxd-image-url': at } = response.headers;
  if (typeof fingerprint !== 'string' || fingerprint === '')
    throw new LxdError('invalid', 'Missing LXD-Image-Hash header');
  if (typeof at !== 'string' || at === '') throw new LxdError('invalid', 'Missing LXD-Image-URL header');
  if (!/^[0-9a-f]{64}$/.test(fingerprint))
    throw new LxdError('invalid', 'The LXD-Image-Hash header has no fingerprint');
  const where = checkUrl(URL.parse(at, url.href)?.href ?? at);
  const file: RemoteFile = {
    kind: 'unified',
    name: where.href,
    size: 0,
    open: async (from, stop) => {
      const headers: Record<string, string> = from > 0 ? { Range: `bytes=${from}-` } : {};
      const answer = await ask(where, 'GET', headers, stop);
      if (answer.statusCode === 200 || answer.statusCode === 206) return answer;
      answer.destroy();
      throw new LxdError(
        answer.statusCode === 404 ? 'not-found' : 'unavailable',
        `status ${answer.statusCode}`,
      );
    },
  };
  return { fingerprint, file };
}
