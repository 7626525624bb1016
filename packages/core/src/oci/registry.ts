import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LxdError } from '../errors.ts';
import { readAtMost } from '../read-at-most.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import { parseOciImageConfig, type OciImageConfig } from './image-config.ts';
import {
  maxOciDocumentBytes,
  ociDocumentTypes,
  parseOciDocument,
  selectOciEntry,
  type OciDescriptor,
  type OciManifest,
} from './manifest.ts';
import { hexOf, type OciReference } from './reference.ts';

/** Asks one address once, over TLS; redirections are answers like others. */
export type OciTransport = (
  url: URL,
  request: { method: 'GET'; headers: Record<string, string> },
  signal: AbortSignal,
) => Promise<IncomingMessage>;

export interface OciCredentials {
  user: string;
  password: string;
}

/** An image that was found. */
export interface OciImage {
  /** SHA-256 of its manifest: the same wherever it is. */
  fingerprint: string;
  manifest: OciManifest;
  manifestBytes: Buffer;
  config: OciImageConfig;
}

const maxRedirects = 5;
const maxTokenBytes = 1024 * 1024;
const maxErrorBytes = 64 * 1024;

/** `user:password` as it is told. @throws LxdError `invalid`, without what it was told */
export function parseOciCredentials(secret: string): OciCredentials {
  const colon = secret.indexOf(':');
  if (colon < 1) throw new LxdError('invalid', 'The secret of a registry must be USER:PASSWORD');
  return { user: secret.slice(0, colon), password: secret.slice(colon + 1) };
}

/** @throws LxdError `invalid` where these are not the bytes that were promised */
function check(bytes: Buffer, { digest, size }: Pick<OciDescriptor, 'digest'> & { size?: number }): void {
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== hexOf(digest) || (size !== undefined && size !== bytes.length))
    throw new LxdError(
      'invalid',
      `What the registry sent is not what it promised: sha256:${found} for ${digest}`,
    );
}

/** Its own words, as far as they are fit to be shown. */
async function complaintOf(response: IncomingMessage): Promise<string> {
  const status = `status ${response.statusCode ?? 0}`;
  try {
    const { errors, details } = JSON.parse(
      (await readAtMost(response, maxErrorBytes, 'The answer')).toString(),
    ) as { errors?: { message?: unknown }[]; details?: unknown };
    const text = errors?.[0]?.message ?? details;
    return typeof text === 'string' && text !== ''
      ? `${text.replace(/[^\x20-\x7e]/g, ' ').slice(0, 200)} (${status})`
      : status;
  } catch {
    return status;
  }
}

/** One that speaks the distribution API of OCI (v2). It does nothing by itself: `transport` reaches it. */
export class OciRegistry {
  readonly #server: URL;
  readonly #credentials: OciCredentials | undefined;
  readonly #transport: OciTransport;
  /** What opens it, by repository. */
  readonly #keys = new Map<string, string>();

  constructor(server: string, transport: OciTransport, credentials?: OciCredentials) {
    this.#server = new URL(server);
    this.#transport = transport;
    this.#credentials = credentials;
  }

  get host(): string {
    return this.#server.host;
  }

  /** What a name means for this kind of machine. @throws LxdError */
  async resolve(
    { repository, reference }: OciReference,
    architecture: string,
    signal: AbortSignal,
  ): Promise<OciImage> {
    const first = await this.#document(repository, reference, signal);
    let { bytes } = first;
    let document = parseOciDocument(bytes.toString(), first.type);
    if (document.kind === 'index') {
      const entry = selectOciEntry(document.entries, architecture);
      const chosen = await this.#document(repository, entry.digest, signal);
      check(chosen.bytes, entry);
      bytes = chosen.bytes;
      document = parseOciDocument(bytes.toString(), entry.mediaType || chosen.type);
      if (document.kind === 'index')
        throw new LxdError('invalid', "The registry's list of images leads to another list");
    }
    const { manifest } = document;
    const config = parseOciImageConfig((await this.#config(repository, manifest.config, signal)).toString());
    if (config.diffIds.length !== manifest.layers.length)
      throw new LxdError('invalid', "The registry's image has other layers than its configuration says");
    const fingerprint = createHash('sha256').update(bytes).digest('hex');
    return { fingerprint, manifest, manifestBytes: bytes, config };
  }

  /** A blob from a byte on: 206, or 200 and the whole of it. @throws LxdError */
  async openBlob(
    repository: string,
    digest: string,
    from: number,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const headers: Record<string, string> = from > 0 ? { Range: `bytes=${from}-` } : {};
    return this.#get(repository, `blobs/${digest}`, headers, signal);
  }

  async #config(repository: string, config: OciDescriptor, signal: AbortSignal): Promise<Buffer> {
    if (config.size > maxOciDocumentBytes)
      throw new LxdError('invalid', "The image's configuration is too large");
    const response = await this.openBlob(repository, config.digest, 0, signal);
    const bytes = await readAtMost(response, config.size, "The image's configuration");
    check(bytes, config);
    return bytes;
  }

  async #document(
    repository: string,
    reference: string,
    signal: AbortSignal,
  ): Promise<{ bytes: Buffer; type: string }> {
    const headers = { Accept: ociDocumentTypes.join(', ') };
    const response = await this.#get(repository, `manifests/${reference}`, headers, signal);
    const { 'docker-content-digest': told, 'content-type': type = '' } = response.headers;
    const bytes = await readAtMost(response, maxOciDocumentBytes, 'The manifest');
    const digest = reference.startsWith('sha256:') ? reference : told;
    if (typeof digest === 'string' && digest.startsWith('sha256:')) check(bytes, { digest });
    const bare = type.split(';')[0]?.trim() ?? '';
    return { bytes, type: bare.includes('json') && bare !== 'application/json' ? bare : '' };
  }

  /** Something of a repository, with whatever lets us in. @throws LxdError */
  async #get(
    repository: string,
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const url = new URL(`/v2/${repository}/${path}`, this.#server);
    let response = await this.#ask(url, headers, this.#keys.get(repository), signal);
    if (response.statusCode === 401) {
      const challenges = parseChallenges(response.headers['www-authenticate'] ?? '');
      response.destroy();
      const key = await this.#key(repository, challenges, signal);
      this.#keys.set(repository, key);
      response = await this.#ask(url, headers, key, signal);
    }
    const { statusCode = 0 } = response;
    if (statusCode === 200 || statusCode === 206) return response;
    const why = await complaintOf(response);
    if (statusCode === 401 || statusCode === 403)
      throw new LxdError(
        'forbidden',
        `${this.host} does not give "${repository}"${this.#credentials ? ' to this user' : '; is it there, and does it need a user and password?'}: ${why}`,
      );
    if (statusCode === 404)
      throw new LxdError('not-found', `${this.host} has no "${repository}" like this: ${why}`);
    if (statusCode === 429) throw new LxdError('unavailable', `${this.host} wants fewer requests: ${why}`);
    throw new LxdError('unavailable', `${this.host}: ${why}`);
  }

  /** Follows where it is sent; what opens the registry is shown to nobody else. */
  async #ask(
    url: URL,
    headers: Record<string, string>,
    key: string | undefined,
    signal: AbortSignal,
    redirects = maxRedirects,
  ): Promise<IncomingMessage> {
    const own = url.host === this.#server.host;
    const request = {
      method: 'GET' as const,
      headers: { ...headers, ...(own && key ? { Authorization: key } : {}) },
    };
    const response = await this.#transport(url, request, signal);
    const { statusCode = 0, headers: told } = response;
    if (statusCode < 300 || statusCode >= 400 || told.location === undefined) return response;
    response.destroy();
    if (redirects === 0) throw new LxdError('unavailable', `${this.host} sends us around for ever`);
    const next = URL.parse(told.location, url.href);
    if (next?.protocol !== 'https:')
      throw new LxdError('unavailable', `${url.host} leads to an address that is not https`);
    return this.#ask(next, headers, key, signal, redirects - 1);
  }

  /** What is to be shown, by what it asks for. @throws LxdError `forbidden`, `unavailable` */
  async #key(repository: string, challenges: readonly Challenge[], signal: AbortSignal): Promise<string> {
    const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters['realm']);
    if (bearer) return `Bearer ${await this.#token(repository, bearer, signal)}`;
    if (challenges.some(({ scheme }) => scheme === 'basic')) {
      if (this.#credentials) return this.#basic(this.#credentials);
      throw new LxdError('forbidden', `${this.host} needs a user and password`);
    }
    throw new LxdError('forbidden', `${this.host} wants to know who we are in a way that is not known here`);
  }

  #basic({ user, password }: OciCredentials): string {
    return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  }

  async #token(repository: string, { parameters }: Challenge, signal: AbortSignal): Promise<string> {
    const { realm = '', service, scope } = parameters;
    const url = URL.parse(realm);
    // Passwords go there.
    if (url?.protocol !== 'https:')
      throw new LxdError('unavailable', `${this.host} has its tokens from an address that is not https`);
    if (service) url.searchParams.set('service', service);
    url.searchParams.set('scope', scope ?? `repository:${repository}:pull`);
    const credentials = this.#credentials;
    const headers: Record<string, string> = credentials ? { Authorization: this.#basic(credentials) } : {};
    const response = await this.#transport(url, { method: 'GET', headers }, signal);
    if (response.statusCode !== 200) {
      const why = await complaintOf(response);
      const refused = [400, 401, 403].includes(response.statusCode ?? 0);
      throw new LxdError(
        refused ? 'forbidden' : 'unavailable',
        `${url.host} gives no token for ${this.host}: ${why}`,
      );
    }
    const answer = await readAtMost(response, maxTokenBytes, 'The token');
    try {
      const { token, access_token: other } = JSON.parse(answer.toString()) as Record<string, unknown>;
      const found = token ?? other;
      if (typeof found === 'string' && /^[\x21-\x7e]+$/.test(found)) return found;
    } catch {
      // Said below.
    }
    throw new LxdError('unavailable', `${url.host} answers without a token`);
  }
}
