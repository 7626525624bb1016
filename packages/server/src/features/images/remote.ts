import { X509Certificate } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { LxdError } from '@lxd-ts/core';
import type { ImageRecord } from '@lxd-ts/state';
import { dialTls } from '../../http/dial-tls.ts';

/** An image of another server. */
export interface RemoteImage {
  /** `lxd` when absent: it speaks LXD's API. */
  protocol?: 'lxd' | 'simplestreams' | 'direct' | 'oci';
  /** For `direct`, which has nothing else. */
  url?: string;
  /** `https://HOST:PORT` */
  server: string;
  /** PEM that it must show; absent: one that the machine trusts. */
  certificate?: string | undefined;
  /** For an image that is not public; of a registry it is `USER:PASSWORD`. */
  secret?: string | undefined;
  /** Of that server. */
  project?: string | undefined;
  fingerprint?: string | undefined;
  alias?: string | undefined;
}

/** What the other server says of it. */
export interface RemoteDescription {
  fingerprint: string;
  filename: string;
  size: number;
  public: boolean;
  properties: Record<string, string>;
  profiles?: string[] | null;
}

/** Where a newer one is looked for; nowhere for what was named by its whole fingerprint. */
export function updateSource(
  { server, protocol = 'lxd', certificate = '', fingerprint, alias, secret }: RemoteImage,
  found: string,
): ImageRecord['source'] {
  const name = alias || fingerprint || '';
  if (protocol === 'oci')
    return name.includes('@')
      ? undefined
      : { server, protocol, certificate, alias: name, ...(secret ? { secret } : {}) };
  return name === '' || name === found || protocol === 'direct'
    ? undefined
    : { server, protocol, certificate, alias: name };
}

/** @param field that has the address. @throws LxdError `invalid` naming the field */
export function checkServer(field: string, server: string, certificate: string | undefined): URL {
  const url = URL.parse(server);
  if (url?.protocol !== 'https:')
    throw new LxdError('invalid', `"${field}" must be https://HOST:PORT, not "${server}"`);
  try {
    if (certificate) new X509Certificate(certificate);
  } catch (error) {
    throw new LxdError('invalid', '"certificate" is not a certificate in PEM', { cause: error });
  }
  return url;
}

/** @throws LxdError `invalid` naming the field */
export function checkRemoteImage({ server, certificate, fingerprint, alias }: RemoteImage): URL {
  const url = checkServer('server', server, certificate);
  if (!fingerprint && !alias)
    throw new LxdError('invalid', 'Must specify one of alias or fingerprint for an image of another server');
  return url;
}

export interface RemoteRequest {
  method?: string;
  path: string;
  query?: Record<string, string | undefined>;
  headers?: Record<string, string>;
  body?: Readable;
  /** How often it may still send us elsewhere. */
  redirects?: number;
}

const maxRedirects = 5;

/** @throws LxdError what the other server answers, or `unavailable` */
export async function askRemote(
  url: URL,
  certificate: string | undefined,
  request: RemoteRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { method = 'GET', path, query = {}, headers = {}, body, redirects = maxRedirects } = request;
  const socket = await dialTls(url, certificate, signal);
  const set = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]));
  const search = new URLSearchParams(set).toString();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const fail = (error: Error) =>
      reject(new LxdError('unavailable', `${url.host} does not answer: ${error.message}`, { cause: error }));
    const sent = httpRequest({
      method,
      host: url.hostname,
      path: search ? `${path}?${search}` : path,
      headers: { Host: url.host, 'User-Agent': 'lxd-ts', ...headers },
      createConnection: () => socket,
      signal,
    });
    sent.once('response', resolve).once('error', fail);
    if (body) pipeline(body, sent).catch(fail);
    else sent.end();
  });
  if ((response.statusCode ?? 0) < 300) return response;
  const { location } = response.headers;
  if ((response.statusCode ?? 0) < 400 && location !== undefined && method === 'GET' && redirects > 0) {
    socket.destroy();
    const next = new URL(location, new URL(path, url));
    if (next.protocol !== 'https:')
      throw new LxdError('unavailable', `${url.host} leads to ${next.href}, which is not https`);
    // Another has another certificate.
    const shown = next.host === url.host ? certificate : undefined;
    const on = { headers, path: `${next.pathname}${next.search}`, redirects: redirects - 1 };
    return askRemote(next, shown, on, signal);
  }
  const { error = '' } = (await json(response).catch(() => ({}))) as { error?: string };
  socket.destroy();
  const code =
    response.statusCode === 404 ? 'not-found' : response.statusCode === 403 ? 'forbidden' : 'unavailable';
  throw new LxdError(code, `${url.host}: ${error || `status ${response.statusCode ?? 0}`}`);
}

const get = (
  remote: RemoteImage,
  path: string,
  query: Record<string, string | undefined>,
  signal: AbortSignal,
): Promise<IncomingMessage> =>
  askRemote(checkRemoteImage(remote), remote.certificate, { path, query }, signal);

/** @throws LxdError */
export async function describeRemoteImage(
  remote: RemoteImage,
  signal: AbortSignal,
): Promise<RemoteDescription> {
  const { project, secret } = remote;
  const read = async (path: string, query: Record<string, string | undefined>): Promise<unknown> =>
    ((await json(await get(remote, path, query, signal))) as { metadata: unknown }).metadata;
  let { fingerprint } = remote;
  if (!fingerprint) {
    const alias = encodeURIComponent(remote.alias ?? '');
    const found = (await read(`/1.0/images/aliases/${alias}`, { project })) as { target?: string };
    fingerprint = found.target ?? '';
  }
  const image = (await read(`/1.0/images/${encodeURIComponent(fingerprint)}`, { project, secret })) as
    RemoteDescription | undefined;
  if (!image || !/^[0-9a-f]{64}$/.test(image.fingerprint))
    throw new LxdError('unavailable', 'The other server does not say the fingerprint of the image');
  return image;
}

/** Its files as they come: one, or a multipart body. @throws LxdError */
export const downloadRemoteImage = (
  remote: RemoteImage,
  fingerprint: string,
  signal: AbortSignal,
): Promise<IncomingMessage> =>
  get(
    remote,
    `/1.0/images/${fingerprint}/export`,
    { project: remote.project, secret: remote.secret },
    signal,
  );
