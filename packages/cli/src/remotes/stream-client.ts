import { get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { getCACertificates } from 'node:tls';
import { Client, type Image, type ImageAlias, type RequestOptions } from '@lxd-ts/client';
import {
  findStreamImage,
  LxdError,
  readAtMost,
  streamImages,
  streamPaths,
  type StreamImage,
} from '@lxd-ts/core';
import { native } from './native.ts';

const maxRedirects = 5;
const timeoutMs = 30_000;
/** Of no server that is right in its head. */
const maxDocumentBytes = 64 * 1024 * 1024;

async function getJson(url: URL, ca: readonly string[], redirects = maxRedirects): Promise<unknown> {
  const fail = (why: string, cause?: unknown) =>
    new LxdError('unavailable', `Cannot read ${url.href}: ${why}`, { cause });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = get(url, { ca: [...ca], headers: { 'User-Agent': 'lxd-ts' }, timeout: timeoutMs }, resolve);
    sent.once('error', (error) => reject(fail(error.message, error)));
    sent.once('timeout', () => sent.destroy(new Error('no answer')));
  });
  const { statusCode = 0, headers } = response;
  if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined && redirects > 0) {
    response.destroy();
    const next = new URL(headers.location, url);
    if (next.protocol !== 'https:') throw fail(`it leads to ${next.href}, which is not https`);
    return getJson(next, ca, redirects - 1);
  }
  if (statusCode !== 200) {
    response.destroy();
    throw fail(statusCode === 404 ? 'it is not there' : `status ${statusCode}`);
  }
  try {
    return JSON.parse((await readAtMost(response, maxDocumentBytes, 'it')).toString()) as unknown;
  } catch (error) {
    throw fail((error as Error).message, error);
  }
}

const epoch = '1970-01-01T00:00:00Z';

const asImage = ({ fingerprint, aliases, createdAt, expiresAt, files: _, ...rest }: StreamImage): Image => ({
  ...rest,
  fingerprint,
  auto_update: false,
  public: true,
  cached: false,
  type: 'container',
  profiles: null,
  aliases: aliases.map((name) => ({ name, description: '' })),
  created_at: createdAt || epoch,
  uploaded_at: createdAt || epoch,
  expires_at: expiresAt || epoch,
  last_used_at: '0001-01-01T00:00:00Z',
});

/** A server of images (simplestreams), read as if it spoke LXD's API: images and their names, and nothing else. */
export class StreamClient extends Client {
  readonly #server: string;
  #images: Promise<StreamImage[]> | undefined;

  /** @param server its address, with what its path begins with */
  constructor(server: string) {
    super({ endpoint: { kind: 'https', url: server, tls: {} } });
    this.#server = server.replace(/\/+$/, '');
  }

  async #load(): Promise<StreamImage[]> {
    const ca = [...getCACertificates('default'), ...getCACertificates('system')];
    const index = await getJson(new URL(`${this.#server}/streams/v1/index.json`), ca);
    const paths = streamPaths(index);
    const documents = await Promise.all(paths.map((path) => getJson(new URL(`${this.#server}/${path}`), ca)));
    return documents.flatMap((document) => streamImages(document, native));
  }

  override async get<T>(path: string, options: RequestOptions = {}): Promise<T> {
    const images = await (this.#images ??= this.#load());
    const found = (name: string) => findStreamImage(images, decodeURIComponent(name));
    const answer = (value: Image | Image[] | ImageAlias | ImageAlias[]): T => value as T;
    const alias = ({ fingerprint }: StreamImage, name: string): ImageAlias => ({
      name,
      description: '',
      target: fingerprint,
      type: 'container',
    });
    if (path === '/1.0/images') return answer(images.map(asImage));
    if (path === '/1.0/images/aliases')
      return answer(images.flatMap((image) => image.aliases.map((name) => alias(image, name))));
    const named = /^\/1\.0\/images\/aliases\/([^/]+)$/.exec(path)?.[1];
    if (named !== undefined) return answer(alias(found(named), named));
    const fingerprint = /^\/1\.0\/images\/([^/]+)$/.exec(path)?.[1];
    if (fingerprint !== undefined) return answer(asImage(found(fingerprint)));
    return super.get<T>(path, options);
  }

  override request(): never {
    throw new LxdError(
      'unsupported',
      `${this.#server} is a server of images: it has nothing else to ask for`,
    );
  }
}
