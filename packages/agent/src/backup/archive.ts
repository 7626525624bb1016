import { LxdError } from '@lxd-ts/core';

/** What goes into a tarball: a file or a tree of the host, under another name. */
export interface Member {
  path: string;
  as: string;
  /** Names at its top that are left out. */
  without?: readonly string[];
}

/** Algorithm → what tar is told. The names are LXD's. */
const compressors: Readonly<Record<string, readonly string[]>> = {
  none: [],
  gzip: ['--gzip'],
  bzip2: ['--bzip2'],
  xz: ['--use-compress-program=xz -T0'],
  lzma: ['--lzma'],
  zstd: ['--use-compress-program=zstd -T0'],
  lz4: ['--use-compress-program=lz4'],
};

/** @throws LxdError `invalid` */
export function compressorOf(algorithm: string): readonly string[] {
  const found = Object.hasOwn(compressors, algorithm) ? compressors[algorithm] : undefined;
  if (found) return found;
  const known = Object.keys(compressors).join(', ');
  throw new LxdError('invalid', `Unknown compression algorithm "${algorithm}"; use one of ${known}`);
}

/** For a basic regular expression between commas. */
const literal = (text: string): string => text.replace(/[\\.[\]*^$,]/g, '\\$&');
/** What stands for itself in the replacement. */
const replacement = (text: string): string => text.replace(/[\\&,]/g, '\\$&');

/** Names of members and what hard links refer to change; what symbolic links say does not. */
const renaming = ({ path, as }: Member): string =>
  `--transform=flags=rhS;s,^${literal(path)}\\(/\\|$\\),${replacement(as)}\\1,`;

/**
 * To have tar write `members` as they are on disk: numeric ids, extended attributes, ACLs, sparse files as such.
 * @param members paths are absolute and without links
 */
export const packing = (
  file: string,
  compressor: readonly string[],
  members: readonly Member[],
): [string, ...string[]] => [
  'tar',
  '--create',
  `--file=${file}`,
  ...compressor,
  '--format=pax',
  // Nothing of when and by whom it was packed.
  '--pax-option=delete=atime,delete=ctime',
  '--numeric-owner',
  '--xattrs',
  '--xattrs-include=*',
  '--acls',
  '--sparse',
  '--warning=no-file-ignored',
  '--absolute-names',
  '--anchored',
  '--no-wildcards',
  ...members.map(renaming),
  ...members.flatMap(({ path, without = [] }) => without.map((name) => `--exclude=${path}/${name}`)),
  '--',
  ...members.map(({ path }) => path),
];

/** To have tar put the tree that is `from` in a tarball into a directory. */
export const unpacking = (
  file: string,
  decompressor: readonly string[],
  from: string,
  directory: string,
): [string, ...string[]] => [
  'tar',
  '--extract',
  `--file=${file}`,
  ...decompressor,
  '--numeric-owner',
  '--same-owner',
  '--same-permissions',
  '--xattrs',
  '--xattrs-include=*',
  '--acls',
  '--anchored',
  '--no-wildcards',
  // The directory itself becomes the one that is unpacked into, which stripping would leave as it is.
  renaming({ path: from, as: '.' }),
  `--directory=${directory}`,
  '--',
  from,
];
