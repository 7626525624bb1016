import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LxdError } from '@lxd-ts/core';
import { packingOfFile, tarFlags } from '@lxd-ts/images';
import type { BackupSource, CallOptions } from '@lxd-ts/rpc';
import type { StoragePool } from '@lxd-ts/storage';
import { parse } from 'yaml';
import { fillImage } from '../block-image.ts';
import type { AgentContext } from '../context.ts';
import { snapshotRanges } from '../migration/id-ranges.ts';
import type { Change, Landing, SubvolumeLanding } from '../migration/landing.ts';
import { landingsOn } from '../migration/places.ts';
import { checkSnapshotName } from '../migration/snapshot-item.ts';
import { unpacking } from './archive.ts';
import { partialBackup } from './places.ts';
import type { BackupSubject } from './subject.ts';

const maxAliases = 100;
/** It is read as a whole, and nothing else is done meanwhile. */
const maxIndexBytes = 4 * 1024 * 1024;

async function decompressorOf(file: string): Promise<readonly string[]> {
  const packed = await packingOfFile(file).catch(() => undefined);
  if (packed === undefined || packed === 'squashfs')
    throw new LxdError('internal', 'Unsupported compression');
  return tarFlags[packed];
}

/** `backup/index.yaml` of a backup. @throws LxdError `invalid` when it is none */
export async function readIndex(
  { host }: AgentContext,
  file: string,
  { signal }: CallOptions,
): Promise<Record<string, unknown>> {
  const flags = await decompressorOf(file);
  const { stdout, status } = await host.run(
    [
      'tar',
      '--extract',
      `--file=${file}`,
      ...flags,
      '--to-stdout',
      '--occurrence=1',
      '--',
      'backup/index.yaml',
    ],
    { signal, allowFailure: true },
  );
  if (status !== 0 || stdout === '') throw new LxdError('invalid', 'Backup is missing index.yaml');
  if (stdout.length > maxIndexBytes)
    throw new LxdError('invalid', "The backup's index.yaml is larger than 4 MiB");
  try {
    const index: unknown = parse(stdout, { maxAliasCount: maxAliases });
    if (typeof index === 'object' && index !== null) return index as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new LxdError('invalid', "The backup's index.yaml is not a description of a backup");
}

interface Unpacking {
  context: AgentContext;
  file: string;
  flags: readonly string[];
  subject: BackupSubject;
  signal: AbortSignal;
}

async function checkRoot({ subject }: Unpacking, directory: string): Promise<void> {
  if (subject.tree !== 'container') return;
  const rootfs = await lstat(join(directory, 'rootfs')).catch(() => undefined);
  if (!rootfs?.isDirectory()) throw new LxdError('invalid', 'The backup has no directory rootfs');
}

/** The volume becomes what the tree of this name in the archive is. What is the same as before stays as it is. */
async function unpackTree(
  unpack: Unpacking,
  landing: Landing,
  from: string,
  { first, change }: { first: boolean; change: Change | undefined },
) {
  const { context, file, flags, signal } = unpack;
  const { host } = context;
  if (first) {
    await host.run(unpacking(file, flags, from, landing.volume), { signal });
    await change?.(landing.volume);
  } else {
    const fresh = join(await landing.inbox(), 'tree');
    await mkdir(fresh, { mode: 0o700 });
    await host.run(unpacking(file, flags, from, fresh), { signal });
    await change?.(fresh);
    // By content: tarballs of LXD have times of whole seconds, in which a file may have been written twice.
    await host.run(
      ['rsync', '-aHAXS', '--checksum', '--numeric-ids', '--delete', '--', `${fresh}/`, landing.volume],
      { signal },
    );
    await rm(fresh, { recursive: true, force: true });
  }
  await checkRoot(unpack, landing.volume);
}

/** How large the largest of these images in the archive is. */
async function imageBytes({ context, file, flags, signal }: Unpacking, names: readonly string[]) {
  const argv = ['tar', '--list', '--verbose', '--numeric-owner', `--file=${file}`, ...flags, '--'] as const;
  const { stdout } = await context.host.run([...argv, ...names.map((name) => `backup/${name}.img`)], {
    signal,
  });
  // Mode, owner, size, …
  return Math.max(
    ...stdout
      .trim()
      .split('\n')
      .map((line) => Number(line.split(/\s+/)[2] ?? 0)),
  );
}

/** The bytes of a volume of content type `block` become those of the file of this name in the archive. */
async function unpackImage({ context, file, flags, signal }: Unpacking, image: string, from: string) {
  const { host } = context;
  await using tar = host.open(['tar', '--extract', `--file=${file}`, ...flags, '--to-stdout', '--', from], {
    signal,
  });
  tar.stdin.end();
  await fillImage(host, image, tar.stdout, { signal });
  await tar.ended;
}

/** A stream of a subvolume in the archive is received as the snapshot of this name, or as the volume. */
async function unpackStream(
  unpack: Unpacking,
  landing: SubvolumeLanding,
  from: string,
  name: string | undefined,
): Promise<void> {
  const { context, file, flags, signal } = unpack;
  const { host } = context;
  const inbox = await landing.inbox();
  await using tar = host.open(['tar', '--extract', `--file=${file}`, ...flags, '--to-stdout', '--', from], {
    signal,
  });
  await using receive = host.open(['btrfs', '-q', 'receive', '-e', inbox], { signal });
  tar.stdin.end();
  receive.stdout.resume();
  await pipeline(tar.stdout, receive.stdin).catch(() => undefined);
  await receive.ended;
  await tar.ended;
  const [received] = await readdir(inbox);
  if (received === undefined) throw new LxdError('invalid', `The backup's ${from} has no subvolume`);
  await checkRoot(unpack, join(inbox, received));
  await landing.take(join(inbox, received), name);
}

/** Fills a volume, an instance's or a custom one, and its snapshots from a backup that was received here. Nothing is at its place before all is. */
export async function restoreBackup(
  context: AgentContext,
  pool: StoragePool,
  subject: BackupSubject,
  source: BackupSource,
  { signal }: CallOptions,
): Promise<void> {
  const { liblxc, dir } = context;
  const { pool: poolSpec, volume, tree, snapshots, block } = subject;
  if (source.optimized && source.backend !== poolSpec.driver)
    throw new LxdError(
      'invalid',
      `Optimized backup storage driver "${source.backend}" differs from the target storage pool driver "${poolSpec.driver}"`,
    );
  if (await pool.exists(volume))
    throw new LxdError('conflict', 'Cannot restore volume, already exists on target');
  for (const { name } of source.snapshots) checkSnapshotName(name);
  const file = join(partialBackup(dir, source.id), 'file');
  const unpacking = { context, file, flags: await decompressorOf(file), subject, signal };
  const landings = landingsOn(context, [poolSpec, pool], volume);
  // Here files are kept with the ids inside.
  const changeOf = (name: string, config: BackupSource['config']): Change | undefined => {
    const ranges = snapshotRanges({ name, config }, subject.idmapKey);
    return ranges.length > 0 ? (directory) => liblxc.shiftOwners(directory, ranges, { signal }) : undefined;
  };
  const change = changeOf(subject.name, source.config);
  const { subvolumes } = landings;
  if (source.optimized && subvolumes) {
    await using landing = await subvolumes.open('empty', { signal });
    const states = [
      ...source.snapshots.map(({ name, config }) => ({ name, change: changeOf(name, config) })),
      { name: undefined, change },
    ];
    for (const { name } of states) {
      const from = name === undefined ? `backup/${tree}.bin` : `backup/${snapshots}/${name}.bin`;
      await unpackStream(unpacking, landing, from, name);
    }
    // Each stream is the difference from the state before it, as that was received.
    for (const state of states) if (state.change) await landing.rewrite(state.name, state.change);
    await landing.commit([]);
    return;
  }
  const bytes =
    block && context.pools.hasDevices(poolSpec)
      ? await imageBytes(unpacking, [...source.snapshots.map(({ name }) => `${snapshots}/${name}`), tree])
      : block?.bytes;
  await using landing = await landings.open('empty', { signal, bytes });
  if (landing.image !== undefined) {
    for (const { name } of source.snapshots) {
      await unpackImage(unpacking, landing.image, `backup/${snapshots}/${name}.img`);
      await landing.keepSnapshot(name);
    }
    await unpackImage(unpacking, landing.image, `backup/${tree}.img`);
    await landing.commit([]);
    return;
  }
  let first = true;
  for (const { name, config } of source.snapshots) {
    const of = { first, change: changeOf(name, config) };
    await unpackTree(unpacking, landing, `backup/${snapshots}/${name}`, of);
    await landing.keepSnapshot(name);
    first = false;
  }
  await unpackTree(unpacking, landing, `backup/${tree}`, { first, change });
  await landing.commit([]);
}
