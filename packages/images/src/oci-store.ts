import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import {
  hexOf,
  LxdError,
  maxOciDocumentBytes,
  parseOciImageConfig,
  parseOciManifest,
  toLxdError,
  type OciDescriptor,
  type OciImageConfig,
  type OciManifest,
} from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import { stringify } from 'yaml';
import { Blobs } from './blobs.ts';
import type { ImageFile, ImageFileKind, ImagePart, ReceivedImage } from './image-store.ts';
import { unpackLayer } from './unpack-layer.ts';
import type { UnpackOptions } from './unpack.ts';

/** A layer and those below it: the same for all images that begin so. */
export interface OciLink {
  /** SHA-256 of what all of them are. */
  chain: string;
  /** Puts this layer onto those below it. */
  apply(rootfs: string, options: UnpackOptions): Promise<void>;
}

interface Described {
  fingerprint: string;
  manifest: OciManifest;
  config: OciImageConfig;
  manifestSize: number;
}

const suffix = '.manifest';
const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');

/** Its own pieces: the configuration, then the layers. */
const descriptorsOf = ({ config, layers }: OciManifest): OciDescriptor[] => [config, ...layers];

async function readBounded(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const data of body as AsyncIterable<Buffer>) {
    size += data.length;
    if (size > maxOciDocumentBytes) throw new LxdError('invalid', 'The manifest of the image is too large');
    chunks.push(data);
  }
  return Buffer.concat(chunks);
}

/** Images of OCI registries: `<fingerprint>.manifest`, and blobs that several may share. The manifest's digest is the fingerprint. */
export class OciStore {
  readonly #host: Host;
  readonly #dir: string;
  readonly #unpacker: string;
  readonly #blobs: Blobs;
  #last: Promise<unknown> = Promise.resolve();

  /** @param unpacker the program that puts a layer onto others */
  constructor(host: Host, dir: string, unpacker: string) {
    this.#host = host;
    this.#dir = dir;
    this.#unpacker = unpacker;
    this.#blobs = new Blobs(dir);
  }

  #path(fingerprint: string): string {
    return join(this.#dir, `${fingerprint}${suffix}`);
  }

  has(fingerprint: string): Promise<boolean> {
    return access(this.#path(fingerprint)).then(
      () => true,
      () => false,
    );
  }

  async #fingerprints(): Promise<string[]> {
    const names = await readdir(this.#dir);
    return names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
  }

  async #manifest(fingerprint: string): Promise<OciManifest> {
    return parseOciManifest(await readFile(this.#path(fingerprint), 'utf8'));
  }

  /** What images name. */
  async #used(): Promise<Set<string>> {
    const used = new Set<string>();
    for (const fingerprint of await this.#fingerprints()) {
      const manifest = await this.#manifest(fingerprint).catch((error: unknown) => {
        if (toLxdError(error).code !== 'invalid') throw error;
        return undefined; // damaged: it names nothing any more
      });
      for (const { digest } of manifest ? descriptorsOf(manifest) : []) used.add(hexOf(digest));
    }
    return used;
  }

  /** Nobody counts while an image comes or goes. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  #drop(all: Iterable<string>): Promise<void> {
    return this.#alone(async () => this.#blobs.drop(all, await this.#used()));
  }

  async sweep(): Promise<void> {
    await this.#blobs.sweep(await this.#used());
  }

  /** Those of these digests that are not here. */
  async missing(digests: readonly string[]): Promise<string[]> {
    const found = await Promise.all(digests.map((digest) => this.#blobs.has(hexOf(digest))));
    return digests.filter((_, index) => found[index] !== true);
  }

  async #describe(fingerprint: string): Promise<Described> {
    const text = await readFile(this.#path(fingerprint));
    const manifest = parseOciManifest(text.toString());
    const config = await readFile(this.#blobs.path(hexOf(manifest.config.digest)), 'utf8');
    return { fingerprint, manifest, config: parseOciImageConfig(config), manifestSize: text.length };
  }

  async #received(fingerprint: string): Promise<ReceivedImage> {
    const { manifest, config, manifestSize } = await this.#describe(fingerprint);
    const file = (kind: ImageFileKind, sum: string, size: number) => ({
      ...{ kind, size, sha256: sum },
      squashfs: false,
    });
    const files = [
      file('manifest', fingerprint, manifestSize),
      ...descriptorsOf(manifest).map(({ digest, size }) => file('blob', hexOf(digest), size)),
    ];
    return {
      fingerprint,
      size: files.reduce((sum, { size }) => sum + size, 0),
      architecture: config.architecture,
      type: 'container',
      properties: { architecture: config.architecture, type: 'oci' },
      creationDate: config.created,
      expiryDate: 0,
      files,
      oci: config.instance,
    };
  }

  /** The manifest first, then whatever pieces of it are not here. */
  async receive(
    parts: AsyncIterator<ImagePart>,
    head: ImagePart,
    { signal, expected }: { signal: AbortSignal; expected?: string },
  ): Promise<ReceivedImage> {
    const bytes = await readBounded(head.body);
    const fingerprint = sha256(bytes);
    if (expected && !fingerprint.startsWith(expected))
      throw new LxdError(
        'invalid',
        `Image fingerprint doesn't match. Got ${fingerprint} expected ${expected}`,
      );
    const manifest = parseOciManifest(bytes.toString());
    const wanted = new Map(descriptorsOf(manifest).map((one) => [hexOf(one.digest), one]));
    const held = this.#blobs.hold([...wanted.keys()]);
    try {
      for (let next = await parts.next(); !next.done; next = await parts.next()) {
        const { kind, digest = '', body } = next.value;
        const descriptor = kind === 'blob' ? wanted.get(hexOf(digest)) : undefined;
        if (!descriptor)
          throw new LxdError('invalid', 'The upload has a part that its manifest does not name');
        const hex = hexOf(digest);
        if (await this.#blobs.has(hex)) await finished(body.resume(), { signal });
        else await this.#blobs.receive(body, { hex, size: descriptor.size }, signal);
      }
      const missing = await this.missing([...wanted.values()].map(({ digest }) => digest));
      if (missing.length > 0)
        throw new LxdError('precondition-failed', `Pieces of the image are missing: ${missing.join(', ')}`);
      await this.#check(manifest);
      await this.#alone(() => this.#commit(fingerprint, bytes));
    } finally {
      held[Symbol.dispose]();
      await this.#drop(wanted.keys());
    }
    return this.#received(fingerprint);
  }

  /** @throws LxdError `invalid` */
  async #check(manifest: OciManifest): Promise<void> {
    if (manifest.config.size > maxOciDocumentBytes)
      throw new LxdError('invalid', "The image's configuration is too large");
    const text = await readFile(this.#blobs.path(hexOf(manifest.config.digest)), 'utf8');
    if (parseOciImageConfig(text).diffIds.length !== manifest.layers.length)
      throw new LxdError('invalid', 'The image has other layers than its configuration says');
  }

  /** From now on it is here. */
  async #commit(fingerprint: string, bytes: Buffer): Promise<void> {
    const temporary = join(this.#dir, `.partial-${randomUUID()}`);
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.#path(fingerprint));
  }

  async send(fingerprint: string): Promise<ImageFile[]> {
    const { manifest, manifestSize } = await this.#describe(fingerprint);
    const open = (path: string) => createReadStream(path, { highWaterMark: 256 * 1024 });
    return [
      {
        kind: 'manifest',
        filename: `${fingerprint}${suffix}`,
        size: manifestSize,
        body: open(this.#path(fingerprint)),
      },
      ...descriptorsOf(manifest).map(({ digest, size }): ImageFile => ({
        ...{ kind: 'blob' as const, digest, filename: hexOf(digest), size },
        body: open(this.#blobs.path(hexOf(digest))),
      })),
    ];
  }

  /** Its layers, the lowest first. */
  async links(fingerprint: string): Promise<OciLink[]> {
    const { manifest, config } = await this.#describe(fingerprint);
    let chain = '';
    return manifest.layers.map((layer, index) => {
      const diffId = config.diffIds[index] ?? '';
      chain = chain === '' ? hexOf(diffId) : sha256(`sha256:${chain} ${diffId}`);
      return {
        chain,
        apply: (rootfs, options) =>
          unpackLayer(
            this.#host,
            {
              unpacker: this.#unpacker,
              blob: this.#blobs.path(hexOf(layer.digest)),
              layer,
              diffId,
              part: { number: index + 1, of: manifest.layers.length },
            },
            rootfs,
            options,
          ),
      };
    });
  }

  /** What LXD's images have beside their root. */
  async writeMetadata(fingerprint: string, directory: string): Promise<void> {
    const { config } = await this.#describe(fingerprint);
    const properties = { architecture: config.architecture, type: 'oci' };
    const text = stringify({ architecture: config.architecture, creation_date: config.created, properties });
    await writeFile(join(directory, 'metadata.yaml'), text, { mode: 0o644 });
  }

  /** Chains that no other image has. */
  async ownChains(fingerprint: string): Promise<string[]> {
    const others = (await this.#fingerprints()).filter((other) => other !== fingerprint);
    const shared = new Set<string>();
    for (const other of others) for (const { chain } of await this.links(other)) shared.add(chain);
    return (await this.links(fingerprint)).map(({ chain }) => chain).filter((chain) => !shared.has(chain));
  }

  /** Its blobs go with the last image that names them. */
  async delete(fingerprint: string): Promise<void> {
    const own = await this.#manifest(fingerprint).then(
      (manifest) => descriptorsOf(manifest).map(({ digest }) => hexOf(digest)),
      () => [], // the next start finds what it may have named
    );
    await rm(this.#path(fingerprint), { force: true });
    await this.#drop(own);
  }
}
