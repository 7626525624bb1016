import { Client, type Image, type ImageAlias, type RequestOptions } from '@lxd-ts/client';
import {
  dockerHub,
  isDockerHub,
  LxdError,
  OciRegistry,
  parseOciCredentials,
  parseOciReference,
  type OciImage,
} from '@lxd-ts/core';
import { native } from './native.ts';
import { registryTransport } from './registry-transport.ts';

const timeoutMs = 60_000;
const epoch = '1970-01-01T00:00:00Z';

function asImage(name: string, { fingerprint, manifest, manifestBytes, config }: OciImage): Image {
  const created = config.created > 0 ? new Date(config.created * 1000).toISOString() : epoch;
  const size = [manifest.config, ...manifest.layers].reduce(
    (sum, one) => sum + one.size,
    manifestBytes.length,
  );
  return {
    fingerprint,
    size,
    architecture: config.architecture,
    properties: { ...config.labels, ...config.instance, type: 'oci' },
    aliases: [{ name, description: '' }],
    auto_update: false,
    public: true,
    cached: false,
    filename: '',
    type: 'container',
    profiles: null,
    created_at: created,
    uploaded_at: created,
    expires_at: epoch,
    last_used_at: '0001-01-01T00:00:00Z',
  };
}

/** A registry, read as if it spoke LXD's API: images by their names, and nothing else. */
export class RegistryClient extends Client {
  readonly #server: string;
  readonly #registry: OciRegistry;
  readonly #found = new Map<string, Image>();

  constructor(
    server: string,
    { certificate, secret }: { certificate?: string | undefined; secret?: string | undefined },
  ) {
    super({ endpoint: { kind: 'https', url: server, tls: {} } });
    this.#server = isDockerHub(server) ? dockerHub : server;
    const credentials = secret === undefined ? undefined : parseOciCredentials(secret);
    this.#registry = new OciRegistry(this.#server, registryTransport(this.#server, certificate), credentials);
  }

  async #find(name: string): Promise<Image> {
    const reference = parseOciReference(name, this.#server);
    const found = await this.#registry.resolve(reference, native, AbortSignal.timeout(timeoutMs));
    const image = asImage(name, found);
    this.#found.set(image.fingerprint, image);
    return image;
  }

  override async get<T>(path: string, options: RequestOptions = {}): Promise<T> {
    if (path === '/1.0/images' || path === '/1.0/images/aliases')
      throw new LxdError(
        'unsupported',
        `A registry does not list its images: name one, as in "image info REMOTE:REPOSITORY:TAG"`,
      );
    const named = /^\/1\.0\/images\/aliases\/([^/]+)$/.exec(path)?.[1];
    if (named !== undefined) {
      const name = decodeURIComponent(named);
      const { fingerprint } = await this.#find(name);
      const alias: ImageAlias = { name, description: '', target: fingerprint, type: 'container' };
      return alias as T;
    }
    const wanted = /^\/1\.0\/images\/([^/]+)$/.exec(path)?.[1];
    if (wanted === undefined) return super.get<T>(path, options);
    const image = this.#found.get(wanted) ?? (await this.#find(decodeURIComponent(wanted)));
    return image as T;
  }

  override request(): never {
    throw new LxdError(
      'unsupported',
      `${this.#server} is a registry: only images are to be had from it, by name`,
    );
  }
}
