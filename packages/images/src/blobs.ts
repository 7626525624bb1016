import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, open, readdir, rename, rm, rmdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { LxdError } from '@lxd-ts/core';

const partial = '.partial-';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Pieces of images by their SHA-256, each kept once whoever uses it: `<dir>/blobs/<sha256>`. */
export class Blobs {
  readonly #dir: string;
  /** Those that an image is being made of, and for how many. */
  readonly #held = new Map<string, number>();

  /** @param dir that of the images */
  constructor(dir: string) {
    this.#dir = join(dir, 'blobs');
  }

  path(hex: string): string {
    return join(this.#dir, hex);
  }

  has(hex: string): Promise<boolean> {
    return exists(this.path(hex));
  }

  /** Until it is disposed none of these goes. */
  hold(all: readonly string[]): Disposable {
    for (const hex of all) this.#held.set(hex, (this.#held.get(hex) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        for (const hex of all) {
          const left = (this.#held.get(hex) ?? 1) - 1;
          if (left > 0) this.#held.set(hex, left);
          else this.#held.delete(hex);
        }
      },
    };
  }

  /** In the directory, which goes with the last that is in it: that may be just now. */
  async #create(path: string): Promise<FileHandle> {
    for (;;) {
      await mkdir(this.#dir, { recursive: true, mode: 0o700 });
      try {
        return await open(path, 'wx', 0o600);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }

  /** It has its name once all of it is there and is what it should be. @throws LxdError `invalid` */
  async receive(
    body: Readable,
    { hex, size }: { hex: string; size: number },
    signal: AbortSignal,
  ): Promise<void> {
    const path = join(this.#dir, `${partial}${randomUUID()}`);
    const hash = createHash('sha256');
    let got = 0;
    try {
      const file = await this.#create(path);
      try {
        for await (const data of body as AsyncIterable<Buffer>) {
          signal.throwIfAborted();
          got += data.length;
          if (got > size)
            throw new LxdError('invalid', `A layer is larger than its manifest says: ${size} bytes`);
          hash.update(data);
          await file.writeFile(data);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      const found = hash.digest('hex');
      if (got !== size || found !== hex)
        throw new LxdError(
          'invalid',
          `The digest of a layer doesn't match. Got ${found} (${got} bytes) expected ${hex} (${size} bytes)`,
        );
      await rename(path, this.path(hex));
    } finally {
      await rm(path, { force: true });
    }
  }

  /** Those of these that no image names and nobody holds go. */
  async drop(all: Iterable<string>, used: ReadonlySet<string>): Promise<void> {
    for (const hex of all)
      if (!used.has(hex) && !this.#held.has(hex)) await rm(this.path(hex), { force: true });
    await rmdir(this.#dir).catch(() => undefined);
  }

  /** After a start: what no image names, and what was cut off. */
  async sweep(used: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#dir).catch(() => []))
      if (!used.has(name)) await rm(join(this.#dir, name), { force: true });
    await rmdir(this.#dir).catch(() => undefined);
  }
}
