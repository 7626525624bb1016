import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, lstat, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { LxdError, type Config } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import { extensions, packingOfFile } from './compression.ts';
import { parseMetadata } from './metadata.ts';
import { OciStore, type OciLink } from './oci-store.ts';
import { readMetadata, unpackFile, type FileKind, type UnpackOptions } from './unpack.ts';

export interface ImagePart {
  /** An image of an OCI registry is its manifest, then blobs. */
  kind: 'unified' | 'metadata' | 'rootfs' | 'delta' | 'manifest' | 'blob';
  /** Of a blob. Of a delta (xdelta3), which stands for a rootfs: the fingerprint of the image whose rootfs it starts from. */
  digest?: string;
  body: Readable;
}

/** What is kept: a delta is not. */
export type ImageFileKind = Exclude<ImagePart['kind'], 'delta'>;

export interface ReceivedImage {
  fingerprint: string;
  /** Bytes of all its files. */
  size: number;
  architecture: string;
  type: 'container';
  properties: Config;
  creationDate: number;
  expiryDate: number;
  /** Its files, in the order of the fingerprint; sizes in bytes. */
  files: { kind: ImageFileKind; size: number; sha256: string; squashfs: boolean }[];
  /** Of one of an OCI registry: the configuration that its instances begin with. */
  oci?: Config;
}

export interface ImageFile {
  kind: ImageFileKind;
  /** Of a blob. */
  digest?: string;
  filename: string;
  size: number;
  body: Readable;
}

/** The image files of one machine: `<fingerprint>`, and `<fingerprint>.rootfs` for a split image; those of OCI are `OciStore`'s. */
export interface ImageStore {
  receive(
    parts: AsyncIterable<ImagePart>,
    options: { signal: AbortSignal; expected?: string },
  ): Promise<ReceivedImage>;
  /** @throws LxdError `not-found` */
  send(fingerprint: string): Promise<ImageFile[]>;
  /** Puts rootfs/, metadata.yaml and templates/ into an empty directory. */
  unpack(fingerprint: string, directory: string, options: UnpackOptions): Promise<void>;
  delete(fingerprint: string): Promise<void>;
  /** Fingerprints of the images that are here, and when their files came to their places (milliseconds since the epoch). */
  held(): Promise<{ fingerprint: string; since: number }[]>;
  /** Those of these digests that are not here. */
  missingBlobs(digests: readonly string[]): Promise<string[]>;
  /** The layers of an image of an OCI registry, the lowest first; undefined for any other. */
  links(fingerprint: string): Promise<OciLink[] | undefined>;
  /** What is beside the layers of such an image. */
  finish(fingerprint: string, directory: string): Promise<void>;
  /** Chains of layers that go with this image. */
  ownChains(fingerprint: string): Promise<string[]>;
}

const partial = '.partial-';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** @throws LxdError `invalid`: a fingerprint becomes a file name */
function checkFingerprint(fingerprint: string): void {
  if (!/^[0-9a-f]{64}$/.test(fingerprint)) {
    throw new LxdError('invalid', `"${fingerprint}" is not a fingerprint (64 hexadecimal digits)`);
  }
}

async function* withFirst(first: ImagePart, rest: AsyncIterator<ImagePart>): AsyncGenerator<ImagePart> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

class Store implements ImageStore {
  readonly #host: Host;
  readonly #dir: string;
  readonly #oci: OciStore;

  constructor(host: Host, dir: string, oci: OciStore) {
    this.#host = host;
    this.#dir = dir;
    this.#oci = oci;
  }

  async receive(
    parts: AsyncIterable<ImagePart>,
    options: { signal: AbortSignal; expected?: string },
  ): Promise<ReceivedImage> {
    const all = parts[Symbol.asyncIterator]();
    try {
      const first = await all.next();
      if (first.done) throw new LxdError('invalid', 'The upload is empty; send an image');
      if (first.value.kind === 'manifest') return await this.#oci.receive(all, first.value, options);
      return await this.#receiveFiles(withFirst(first.value, all), options);
    } finally {
      await all.return?.();
    }
  }

  async #receiveFiles(
    parts: AsyncIterable<ImagePart>,
    options: { signal: AbortSignal; expected?: string },
  ): Promise<ReceivedImage> {
    const { signal, expected } = options;
    const temporary = join(this.#dir, `${partial}${randomUUID()}`);
    const files: { kind: ImageFileKind; path: string; size: number; sha256: string }[] = [];
    const hash = createHash('sha256');
    let size = 0;
    try {
      for await (const { kind: sent, digest, body } of parts) {
        const kind = sent === 'delta' ? 'rootfs' : sent;
        const path = `${temporary}.${kind}`;
        const part = { kind, path, size: 0, sha256: '' };
        files.push(part);
        const own = createHash('sha256');
        const file = await open(path, 'wx', 0o600);
        try {
          const bytes =
            sent === 'delta' ? this.#undelta(digest ?? '', body, `${temporary}.delta`, signal) : body;
          for await (const data of bytes as AsyncIterable<Buffer>) {
            signal.throwIfAborted();
            hash.update(data);
            own.update(data);
            part.size += data.length;
            await file.writeFile(data);
          }
          await file.sync();
        } finally {
          await file.close();
        }
        part.sha256 = own.digest('hex');
        size += part.size;
      }
      const fingerprint = hash.digest('hex');
      if (expected && !fingerprint.startsWith(expected)) {
        throw new LxdError(
          'invalid',
          `Image fingerprint doesn't match. Got ${fingerprint} expected ${expected}`,
        );
      }
      const [head, rootfs] = files;
      if (!head || size === 0) throw new LxdError('invalid', 'The upload is empty; send an image');
      const packings = rootfs ? [undefined, await packingOfFile(rootfs.path)] : [];
      const metadata = parseMetadata(await readMetadata(this.#host, head.path, signal));
      if (rootfs) await rename(rootfs.path, this.#path(fingerprint, 'rootfs'));
      // The first file goes last: it is what says that the image is here.
      await rename(head.path, this.#path(fingerprint));
      const described = files.map(({ path: _, ...part }, index) => ({
        ...part,
        squashfs: packings[index] === 'squashfs',
      }));
      return { fingerprint, size, type: 'container', ...metadata, files: described };
    } finally {
      for (const { path } of files) await rm(path, { force: true });
    }
  }

  /** The file that a delta makes of the rootfs of another image. */
  async *#undelta(
    base: string,
    body: Readable,
    temporary: string,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer> {
    checkFingerprint(base);
    try {
      await writeFile(temporary, body, { flag: 'wx', mode: 0o600, signal });
      await using program = this.#host.open(
        ['xdelta3', '-d', '-c', '-s', this.#path(base, 'rootfs'), temporary],
        { signal },
      );
      program.stdin.end();
      yield* program.stdout as AsyncIterable<Buffer>;
      await program.ended;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  #path(fingerprint: string, part?: 'rootfs'): string {
    return join(this.#dir, part ? `${fingerprint}.rootfs` : fingerprint);
  }

  async #files(fingerprint: string): Promise<{ kind: FileKind; path: string }[]> {
    checkFingerprint(fingerprint);
    const [head, rootfs] = [this.#path(fingerprint), this.#path(fingerprint, 'rootfs')];
    if (!(await exists(head))) {
      throw new LxdError(
        'not-found',
        `The files of image ${fingerprint.slice(0, 12)} are not on this member`,
      );
    }
    return (await exists(rootfs))
      ? [
          { kind: 'metadata', path: head },
          { kind: 'rootfs', path: rootfs },
        ]
      : [{ kind: 'unified', path: head }];
  }

  async send(fingerprint: string): Promise<ImageFile[]> {
    checkFingerprint(fingerprint);
    if (await this.#oci.has(fingerprint)) return this.#oci.send(fingerprint);
    const files = await this.#files(fingerprint);
    return Promise.all(
      files.map(async ({ kind, path }) => {
        const name = `${kind === 'metadata' ? 'meta-' : ''}${fingerprint}`;
        return {
          kind,
          filename: `${name}${extensions[await packingOfFile(path)]}`,
          size: (await stat(path)).size,
          body: createReadStream(path, { highWaterMark: 256 * 1024 }),
        };
      }),
    );
  }

  async held(): Promise<{ fingerprint: string; since: number }[]> {
    const found: { fingerprint: string; since: number }[] = [];
    for (const name of await readdir(this.#dir)) {
      const fingerprint = /^([0-9a-f]{64})(\.manifest)?$/.exec(name)?.[1];
      if (fingerprint === undefined) continue;
      const at = await stat(join(this.#dir, name)).catch(() => undefined);
      // A file has its time of when it was written: what counts is when it got its name.
      if (at) found.push({ fingerprint, since: Math.max(at.ctimeMs, at.mtimeMs) });
    }
    return found;
  }

  async unpack(fingerprint: string, directory: string, options: UnpackOptions): Promise<void> {
    const rootfs = join(directory, 'rootfs');
    await mkdir(rootfs, { recursive: true, mode: 0o755 });
    const links = await this.links(fingerprint);
    if (links) {
      for (const { apply } of links) await apply(rootfs, options);
      await this.finish(fingerprint, directory);
      return;
    }
    for (const { kind, path } of await this.#files(fingerprint)) {
      await unpackFile(this.#host, path, { directory, rootfs }, kind, options);
    }
    await mkdir(join(rootfs, 'dev'), { recursive: true, mode: 0o755 });
    if ((await readdir(rootfs)).length < 2) {
      throw new LxdError('invalid', `Image ${fingerprint.slice(0, 12)} has no files under rootfs/`);
    }
  }

  async links(fingerprint: string): Promise<OciLink[] | undefined> {
    checkFingerprint(fingerprint);
    return (await this.#oci.has(fingerprint)) ? this.#oci.links(fingerprint) : undefined;
  }

  async finish(fingerprint: string, directory: string): Promise<void> {
    const rootfs = join(directory, 'rootfs');
    const found = await lstat(rootfs).catch(() => undefined);
    if (!found?.isDirectory()) throw new LxdError('invalid', "The image's root is not a directory");
    await rm(join(rootfs, 'dev'), { recursive: true, force: true });
    await mkdir(join(rootfs, 'dev'), { mode: 0o755 });
    await this.#oci.writeMetadata(fingerprint, directory);
  }

  missingBlobs(digests: readonly string[]): Promise<string[]> {
    return this.#oci.missing(digests);
  }

  async ownChains(fingerprint: string): Promise<string[]> {
    checkFingerprint(fingerprint);
    return (await this.#oci.has(fingerprint)) ? this.#oci.ownChains(fingerprint) : [];
  }

  async delete(fingerprint: string): Promise<void> {
    checkFingerprint(fingerprint);
    if (await this.#oci.has(fingerprint)) {
      await this.#oci.delete(fingerprint);
      return;
    }
    await rm(this.#path(fingerprint), { force: true });
    await rm(this.#path(fingerprint, 'rootfs'), { force: true });
  }
}

/**
 * Opens `<dir>/images`, and removes uploads that a crash cut off.
 * @param options.unpacker the program that puts a layer of an OCI image onto others
 */
export async function openImageStore(options: {
  host: Host;
  dir: string;
  unpacker: string;
}): Promise<ImageStore> {
  const dir = join(options.dir, 'images');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  for (const name of await readdir(dir)) {
    if (name.startsWith(partial)) await rm(join(dir, name), { force: true });
  }
  const oci = new OciStore(options.host, dir, options.unpacker);
  await oci.sweep();
  return new Store(options.host, dir, oci);
}
