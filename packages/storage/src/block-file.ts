import { constants } from 'node:fs';
import { chmod, lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import type { Fill, FillBlock } from './driver.ts';

const name = 'root.img';
/** Sizes are multiples of this, as LXD's. */
const unit = 8192;

/** The one file in the directory of a volume of content type `block`. */
export const blockFile = (directory: string): string => join(directory, name);

export const roundedSize = (bytes: number): number => Math.max(1, Math.ceil(bytes / unit)) * unit;

/** It only grows. */
export const cannotShrink = (): LxdError =>
  new LxdError('internal', 'Block volumes cannot be shrunk: Cannot be shrunk');

/** Makes the directory of such a volume out of an empty one: a file of holes, and what `fill` puts into it. */
export const fillBlockDirectory =
  (bytes: number, fill: FillBlock | undefined): Fill =>
  async (directory, options) => {
    await chmod(directory, 0o711);
    const path = blockFile(directory);
    const file = await open(path, 'wx', 0o600);
    try {
      await file.truncate(roundedSize(bytes));
    } finally {
      await file.close();
    }
    await fill?.(path, options);
  };

/**
 * What came from elsewhere, as a stream of a subvolume or a pool that was found, may have a link there, to anywhere on this host.
 * @throws LxdError `not-found`, `invalid`
 */
export async function checkBlockFile(directory: string): Promise<void> {
  const path = blockFile(directory);
  const found = await lstat(path).catch((error: unknown) => {
    throw new LxdError('not-found', `There is no volume at ${path}`, { cause: error });
  });
  if (!found.isFile()) throw new LxdError('invalid', `${path} is not a regular file`);
}

/** Bytes. */
export async function blockFileSize(directory: string): Promise<number> {
  return (await lstat(blockFile(directory))).size;
}

/** Bytes on disk. */
export async function blockFileUsage(directory: string): Promise<number> {
  return (await lstat(blockFile(directory))).blocks * 512;
}

/** @param bytes undefined: as it is @throws LxdError `internal` when it would be smaller */
export async function growBlockFile(directory: string, bytes: number | undefined): Promise<void> {
  if (bytes === undefined) return;
  const wanted = roundedSize(bytes);
  const file = await open(blockFile(directory), constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const { size } = await file.stat();
    if (wanted < size) throw cannotShrink();
    if (wanted > size) await file.truncate(wanted);
  } finally {
    await file.close();
  }
}

/** Whether a directory that was found is such a volume: that file, and nothing else. */
export async function isBlockDirectory(directory: string): Promise<boolean> {
  const [only, another] = await readdir(directory).catch(() => []);
  if (only !== name || another !== undefined) return false;
  return (await lstat(blockFile(directory))).isFile();
}
