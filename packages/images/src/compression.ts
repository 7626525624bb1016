import { open } from 'node:fs/promises';
import { LxdError } from '@lxd-ts/core';

/** How a file of an image is packed, from its first bytes, whatever its name says. */
export type Packing = 'gzip' | 'bzip2' | 'xz' | 'lzma' | 'zstd' | 'lz4' | 'tar' | 'squashfs';

const magics: readonly [Packing, number, number[]][] = [
  ['gzip', 0, [0x1f, 0x8b]],
  ['bzip2', 0, [0x42, 0x5a, 0x68]],
  ['xz', 0, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', 0, [0x28, 0xb5, 0x2f, 0xfd]],
  ['lz4', 0, [0x04, 0x22, 0x4d, 0x18]],
  ['squashfs', 0, [0x68, 0x73, 0x71, 0x73]],
  ['tar', 257, [0x75, 0x73, 0x74, 0x61, 0x72]],
  ['lzma', 0, [0x5d, 0x00, 0x00]],
];

/** File name endings as LXD exports them. */
export const extensions: Readonly<Record<Packing, string>> = {
  gzip: '.tar.gz',
  bzip2: '.tar.bz2',
  xz: '.tar.xz',
  lzma: '.tar.lzma',
  zstd: '.tar.zst',
  lz4: '.tar.lz4',
  tar: '.tar',
  squashfs: '.squashfs',
};

/** What tar is told to unpack it with. */
export const tarFlags: Readonly<Record<Exclude<Packing, 'squashfs'>, string[]>> = {
  gzip: ['--gzip'],
  bzip2: ['--bzip2'],
  xz: ['--xz'],
  lzma: ['--lzma'],
  zstd: ['--zstd'],
  lz4: ['--use-compress-program=lz4'],
  tar: [],
};

export function packingOf(head: Uint8Array): Packing | undefined {
  return magics.find(([, at, bytes]) => bytes.every((byte, i) => head[at + i] === byte))?.[0];
}

/** @throws LxdError `invalid` when it is nothing we know */
export async function packingOfFile(path: string): Promise<Packing> {
  const file = await open(path, 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(512), 0, 512, 0);
    const packing = packingOf(buffer);
    if (packing) return packing;
  } finally {
    await file.close();
  }
  throw new LxdError('invalid', 'Image format not recognised: it is neither a tarball nor a squashfs');
}
