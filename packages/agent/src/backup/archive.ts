import { LxdError } from '@lxd-ts/core';

/** What goes into a tarball: a file or a tree of the host, under another name. */
export interface Member {
  path: string;
  as: string;
  /** Names at its top that are left out. */
  without?: readonly string[];
}

/** What makes the same bytes of the same files, whenever and on whatever filesystem. */
export interface Reproducible {
  /** Seconds since the epoch: what was changed later counts as changed then. */
  epoch: number;
  /** Patterns of paths on the host that are left out; `*` does not match a slash. */
  exclude: readonly string[];
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

/** Those whose output would tell of the moment or of this machine's processors. */
const fixedCompressors: Readonly<Record<string, readonly string[]>> = {
  gzip: ['--use-compress-program=gzip -n'],
  // What is written in blocks does not depend on how many threads there are, as long as it is not a single one.
  xz: ['--use-compress-program=xz -T2'],
  zstd: ['--use-compress-program=zstd -T2'],
};

/** @throws LxdError `invalid` */
export function compressorOf(algorithm: string, fixed = false): readonly string[] {
  const known = fixed ? { ...compressors, ...fixedCompressors } : compressors;
  const found = Object.hasOwn(known, algorithm) ? known[algorithm] : undefined;
  if (found) return found;
  const names = Object.keys(compressors).join(', ');
  throw new LxdError('invalid', `Unknown compression algorithm "${algorithm}"; use one of ${names}`);
}

/** For a basic regular expression between commas. */
const literal = (text: string): string => text.replace(/[\\.[\]*^$,]/g, '\\$&');
/** What stands for itself in the replacement. */
const replacement = (text: string): string => text.replace(/[\\&,]/g, '\\$&');

/** Names of members and what hard links refer to change; what symbolic links say does not. */
const renaming = ({ path, as }: Member): string =>
  `--transform=flags=rhS;s,^${literal(path)}\\(/\\|$\\),${replacement(as)}\\1,`;

/** A path of the host for the beginning of a pattern. */
export const literalPattern = (path: string): string => path.replace(/[\\*?[]/g, '\\$&');

/** Sparse files are written whole: where their holes are depends on the filesystem, and tar names them by its process. */
const reproducing = ({ epoch, exclude }: Reproducible): string[] => [
  '--sort=name',
  `--mtime=@${epoch}`,
  '--clamp-mtime',
  '--wildcards',
  '--no-wildcards-match-slash',
  ...exclude.map((pattern) => `--exclude=${pattern}`),
  '--no-wildcards',
];

/**
 * To have tar write `members` as they are on disk: numeric ids, extended attributes, ACLs, sparse files as such.
 * @param members paths are absolute and without links
 */
export const packing = (
  file: string,
  compressor: readonly string[],
  members: readonly Member[],
  reproducible?: Reproducible,
): [string, ...string[]] => [
  'tar',
  '--create',
  `--file=${file}`,
  ...compressor,
  '--format=pax',
  // Nothing of when, where and by whom it was packed: extended headers would be named after the host's directories.
  '--pax-option=delete=atime,delete=ctime,exthdr.name=PaxHeaders/%f',
  '--numeric-owner',
  '--xattrs',
  '--xattrs-include=*',
  '--acls',
  ...(reproducible ? [] : ['--sparse']),
  '--warning=no-file-ignored',
  '--absolute-names',
  '--anchored',
  ...(reproducible ? reproducing(reproducible) : ['--no-wildcards']),
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
