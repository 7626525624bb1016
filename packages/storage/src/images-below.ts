import { lstat, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import type { WaitOptions } from './driver.ts';
import type { Layers } from './layers.ts';
import { partial } from './layout.ts';

interface ImagesBelowOptions {
  /** The pool's directory. */
  pool: string;
  layers: Layers;
  /** One at a time for each image: nobody deletes one that is just put below a volume. */
  alone(fingerprint: string, work: () => Promise<void>): Promise<void>;
  removeTree(path: string, signal: AbortSignal): Promise<void>;
}

/** What xargs exits with when one of those it has run failed. */
const someFailed = 123;

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** Unpacked images, which stay below volumes when they are deleted: then they are in `layers`. */
export class ImagesBelow {
  readonly #options: ImagesBelowOptions;

  constructor(options: ImagesBelowOptions) {
    this.#options = options;
  }

  #unpacked(fingerprint: string): string {
    return join(this.#options.pool, 'images', fingerprint);
  }

  #kept(name: string): string {
    return join(this.#options.pool, 'layers', name);
  }

  /** Its root. */
  async rootOf(fingerprint: string): Promise<string> {
    const isKept = await exists(this.#kept(fingerprint));
    return join(isKept ? this.#kept(fingerprint) : this.#unpacked(fingerprint), 'rootfs');
  }

  /** One that was deleted, and is had again. To be called alone. */
  async bringBack(fingerprint: string): Promise<void> {
    if (await exists(this.#kept(fingerprint)))
      await rename(this.#kept(fingerprint), this.#unpacked(fingerprint));
  }

  /** True when it is below any volume, so that it is kept. To be called alone. */
  async keep(fingerprint: string, options: WaitOptions): Promise<boolean> {
    const path = this.#unpacked(fingerprint);
    if (!(await exists(path)) || !(await this.#isBelow(fingerprint, options))) return false;
    await rename(path, this.#kept(fingerprint));
    return true;
  }

  /** Whether any volume or snapshot, whole or not, says so. */
  async #isBelow(fingerprint: string, { signal }: WaitOptions): Promise<boolean> {
    const { pool, layers } = this.#options;
    const within = async (directory: string) =>
      (await readdir(directory).catch(() => [])).map((name) => join(directory, name));
    const volumes = await within(join(pool, 'containers'));
    const snapshots = await Promise.all((await within(join(pool, 'containers-snapshots'))).map(within));
    const files = [...volumes, ...snapshots.flat()].map((one) => join(one, 'rootfs/image'));
    const { stdout, stderr, status } = await layers.beneath(
      ['xargs', '-0', '-r', 'grep', '-lsxF', '-e', fingerprint, '--'],
      { signal, input: files.map((file) => `${file}\0`).join(''), allowFailure: true },
    );
    // Not every one says so, or one is gone meanwhile; anything else is no answer.
    if (status !== 0 && status !== someFailed)
      throw new LxdError('internal', `Volumes cannot be looked through: ${stderr.trim()}`);
    return stdout !== '';
  }

  /** Those that were deleted go, when the last volume that they are below is gone. */
  async dropUnused(options: WaitOptions): Promise<void> {
    const { pool, alone, removeTree } = this.#options;
    const kept = (await readdir(join(pool, 'layers'))).filter((name) => /^[0-9a-f]{64}$/.test(name));
    for (const name of kept) {
      await alone(name, async () => {
        if (!(await exists(this.#kept(name))) || (await this.#isBelow(name, options))) return;
        const half = this.#kept(`${partial}${name}`);
        await rename(this.#kept(name), half);
        await removeTree(half, options.signal);
      });
    }
  }
}
