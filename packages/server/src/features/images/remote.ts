import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LxdError, readAtMost } from '@lxd-ts/core';
import type { ImageRecord } from '@lxd-ts/state';
import { askTls, type TlsRequest } from '../../http/ask-tls.ts';

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

/** What is said of an image; of no server that is right in its head. */
const maxAnswerBytes = 4 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;

/** The JSON of an answer. @throws LxdError `unavailable`, `invalid` */
export async function jsonOf(response: IncomingMessage, most = maxAnswerBytes): Promise<unknown> {
  const bytes = await readAtMost(response, most, 'The answer');
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch (error) {
    throw new LxdError('unavailable', 'The answer is not JSON', { cause: error });
  }
}

export interface RemoteRequest extends TlsRequest {
  path: string;
  query?: Record<string, string | undefined>;
  /** How often it may still send us elsewhere. */
  redirects?: number;
}

const maxRedirects = 5;

/** A server of images that sends nothing for so long is given up. */
export const stalledMs = 30_000;

/** @throws LxdError what the other server answers, or `unavailable` */
export async function askRemote(
  url: URL,
  { path, query = {}, redirects = maxRedirects, ...request }: RemoteRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const asked = new URL(`${url.origin}${path}`);
  for (const [name, value] of Object.entries(query)) if (value) asked.searchParams.set(name, value);
  const response = await askTls(asked, request, signal);
  const { statusCode = 0, headers } = response;
  if (statusCode < 300) return response;
  if (statusCode < 400 && headers.location !== undefined && !request.body && redirects > 0) {
    response.destroy();
    const next = URL.parse(headers.location, asked.href);
    if (next?.protocol !== 'https:')
      throw new LxdError('unavailable', `${url.host} leads to ${next?.host ?? 'nowhere'}, and not by https`);
    // Another has another certificate.
    const certificate = next.host === url.host ? request.certificate : undefined;
    const path = `${next.pathname}${next.search}`;
    return askRemote(next, { ...request, certificate, path, redirects: redirects - 1 }, signal);
  }
  const { error = '' } = (await jsonOf(response, maxErrorBytes).catch(() => ({}))) as { error?: unknown };
  const code = statusCode === 404 ? 'not-found' : statusCode === 403 ? 'forbidden' : 'unavailable';
  const why = typeof error === 'string' && error !== '' ? error : `status ${statusCode}`;
  throw new LxdError(code, `${url.host}: ${why}`);
}

const get = (
  remote: RemoteImage,
  path: string,
  query: Record<string, string | undefined>,
  signal: AbortSignal,
): Promise<IncomingMessage> =>
  askRemote(checkRemoteImage(remote), { certificate: remote.certificate, path, query, stalledMs }, signal);

/** @throws LxdError */
export async function describeRemoteImage(
  remote: RemoteImage,
  signal: AbortSignal,
): Promise<RemoteDescription> {
  const { project, secret } = remote;
  const read = async (path: string, query: Record<string, string | undefined>): Promise<unknown> =>
    ((await jsonOf(await get(remote, path, query, signal))) as { metadata: unknown }).metadata;
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
