import { lstat, open, readFile, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import { packingOfFile, tarFlags, type Packing } from './compression.ts';
import { maxMetadataBytes } from './metadata.ts';

export interface UnpackOptions {
  signal: AbortSignal;
  onProgress?: (progress: Record<string, string>) => void;
}

const lookEveryMs = 200;

/** Calls back with how many percent of a file have been read, by whoever shares its descriptor, until it is disposed. */
async function watchReading(file: FileHandle, onPercent: (percent: number) => void): Promise<Disposable> {
  const { size } = await file.stat();
  let told = -1;
  const look = async () => {
    const info = await readFile(`/proc/self/fdinfo/${file.fd}`, 'utf8');
    const percent = Math.floor((Number(/^pos:\s+(\d+)/m.exec(info)?.[1] ?? 0) * 100) / size);
    if (percent !== told) onPercent((told = percent));
  };
  const timer = setInterval(() => void look().catch(() => undefined), lookEveryMs);
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
    },
  };
}

export type FileKind = 'unified' | 'metadata' | 'rootfs';

/** A root filesystem comes from where it belongs and nowhere else; its /dev from nowhere. */
const excluded: Readonly<Record<FileKind, readonly string[]>> = {
  unified: ['--exclude=rootfs/dev/*', '--exclude=./rootfs/dev/*'],
  metadata: ['--exclude=rootfs', '--exclude=./rootfs'],
  rootfs: ['--exclude=dev/*', '--exclude=./dev/*'],
};

/**
 * GNU tar keeps every file below the directory by itself: it strips leading slashes, refuses `..`, and makes symbolic links
 * last. Device nodes are left out: the container gets its /dev when it starts, and one on the host would be a way out.
 */
async function unpackTar(
  host: Host,
  file: string,
  packing: Exclude<Packing, 'squashfs'>,
  directory: string,
  what: FileKind,
  options: UnpackOptions,
): Promise<void> {
  const argv = [
    'tar',
    '--extract',
    ...tarFlags[packing],
    '--numeric-owner',
    '--xattrs',
    '--xattrs-include=*',
    '--same-owner',
    '--same-permissions',
    '--anchored',
    ...excluded[what],
    '--directory',
    directory,
    '--file=-',
  ] as const;
  await using input = await open(file);
  const tell = (percent: number) =>
    options.onProgress?.({ create_instance_from_image_unpack_progress: `Unpack: ${percent}%` });
  using _ = await watchReading(input, tell);
  await host.run([...argv], { signal: options.signal, input: input.fd });
  tell(100);
}

/** Into `<directory>/rootfs`; squashfs has no paths of its own to escape by. */
async function unpackSquashfs(host: Host, file: string, rootfs: string, signal: AbortSignal): Promise<void> {
  await host.run(['unsquashfs', '-force', '-no-progress', '-quiet', '-dest', rootfs, file], { signal });
}

export async function unpackFile(
  host: Host,
  file: string,
  target: { directory: string; rootfs: string },
  what: FileKind,
  options: UnpackOptions,
): Promise<void> {
  const packing = await packingOfFile(file);
  if (packing === 'squashfs') {
    if (what !== 'rootfs') throw new LxdError('invalid', 'The metadata of an image cannot be a squashfs');
    await unpackSquashfs(host, file, target.rootfs, options.signal);
  } else {
    await unpackTar(host, file, packing, what === 'rootfs' ? target.rootfs : target.directory, what, options);
  }
  // A link in its place would make a directory of the host the container's root.
  for (const [path, must] of [
    [target.rootfs, true],
    [join(target.directory, 'templates'), false],
  ] as const) {
    const found = await lstat(path).catch(() => undefined);
    if (found ? !found.isDirectory() : must) {
      throw new LxdError('invalid', `The image's ${basename(path)} is not a directory`);
    }
  }
  const metadata = await lstat(join(target.directory, 'metadata.yaml')).catch(() => undefined);
  if (metadata && !metadata.isFile()) {
    throw new LxdError('invalid', "The image's metadata.yaml is not a file");
  }
}

/** The text of metadata.yaml, without unpacking the rest. @throws LxdError `invalid` when there is none */
export async function readMetadata(host: Host, file: string, signal: AbortSignal): Promise<string> {
  const packing = await packingOfFile(file);
  if (packing === 'squashfs') {
    throw new LxdError('invalid', 'A squashfs alone is no image: upload its metadata tarball with it');
  }
  const { stdout, stderr, status } = await host.run(
    [
      'tar',
      '--extract',
      ...tarFlags[packing],
      '--to-stdout',
      '--occurrence=1',
      '--wildcards',
      '--no-wildcards-match-slash',
      '--file',
      file,
      'metadata.yaml',
    ],
    { signal, allowFailure: true },
  );
  if (status === 0 && stdout.length <= maxMetadataBytes) return stdout;
  const dotted = await host.run(
    [
      'tar',
      '--extract',
      ...tarFlags[packing],
      '--to-stdout',
      '--occurrence=1',
      '--file',
      file,
      './metadata.yaml',
    ],
    { signal, allowFailure: true },
  );
  if (dotted.status === 0 && dotted.stdout.length <= maxMetadataBytes) return dotted.stdout;
  const why = /Not found in archive/.test(stderr + dotted.stderr)
    ? 'it has no metadata.yaml'
    : 'it cannot be read';
  throw new LxdError('invalid', `The upload is not an image: ${why}`);
}
