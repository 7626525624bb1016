import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import type { BackupRequest, CallOptions } from '@lxd-ts/rpc';
import { stringify } from 'yaml';
import { copyImage, isDevice } from '../block-image.ts';
import type { AgentContext } from '../context.ts';
import { hasSubvolumes } from '../migration/places.ts';
import { nestedIn, setReadonly, subvolumesOf } from '../migration/subvolumes.ts';
import { compressorOf, packing, type Member } from './archive.ts';
import { backupPath, partialBackup } from './places.ts';
import { progressOf } from './progress.ts';
import type { BackupSubject } from './subject.ts';

/** Files of an instance, or of a volume, as they are at one moment. */
export interface StillFiles {
  path: string;
  /** Of a volume of content type `block`: its bytes. */
  image?: string | undefined;
  /** A copy of the caller's, to do with as it likes. */
  own: boolean;
  /** They are not still: what changes while it is read is as it was read. */
  live?: boolean;
}

/** Of tar: some files changed while they were read. */
const changedStatus = 1;

/** One after the other, each as the difference from the one before. Only what cannot change can be sent. */
async function sendStates(
  { host }: AgentContext,
  states: readonly { path: string; as: string; file: string }[],
  { signal }: CallOptions,
): Promise<Member[]> {
  const members: Member[] = [];
  let parent: string | undefined;
  for (const { path, as, file } of states) {
    const from = parent === undefined ? [] : ['-p', parent];
    await host.run(['btrfs', '-q', 'send', ...from, '-f', file, '--', path], { signal });
    members.push({ path: file, as });
    parent = path;
  }
  return members;
}

/**
 * Writes a backup as LXD's: `backup/index.yaml`, the snapshots, the volume. It is at its place when it is whole.
 * @param files of the volume; nobody changes them meanwhile
 */
export async function writeBackup(
  context: AgentContext,
  subject: BackupSubject,
  request: BackupRequest,
  files: StillFiles,
  options: CallOptions,
): Promise<{ size: number }> {
  const { dir, host, pools } = context;
  const { signal } = options;
  const compressor = compressorOf(request.compression);
  const { tree, volume } = subject;
  const pool = await pools.open(subject.pool, options);
  const work = partialBackup(dir, request.id);
  await using uses = new AsyncDisposableStack();
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { mode: 0o700 });
  const out = join(work, 'file');
  try {
    const snapshots: { name: string; path: string; image: string | undefined }[] = [];
    for (const name of request.snapshots) {
      const { path, image } = uses.use(
        await pool.useVolume({ ...volume, snapshot: name }, { signal, readonly: true }),
      );
      snapshots.push({ name, path, image });
    }
    const states = [...snapshots.map(({ path }) => path), files.path];
    const nested = hasSubvolumes(subject.pool)
      ? await Promise.all(states.map((path) => nestedIn(host, path, { signal })))
      : [];
    // A stream is of one subvolume: what has others within it is packed as files.
    const optimized =
      request.optimized && files.own && nested.length > 0 && nested.every((paths) => paths.length === 0);
    const say = async (name: string, text: unknown): Promise<Member> => {
      const path = join(work, name);
      await writeFile(path, stringify(text), { mode: 0o600 });
      return { path, as: `backup/${name}` };
    };
    const index = { ...request.index, optimized, optimized_header: optimized };
    const members: Member[] = [await say('index.yaml', index)];
    const { config } = request.index;
    if (optimized) {
      if (tree === 'container') {
        // An imported one may have a link there, to anywhere on this host.
        const described = join(files.path, 'backup.yaml');
        await rm(described, { force: true, recursive: true });
        await writeFile(described, stringify(config), { mode: 0o400, flag: 'wx' });
      }
      await setReadonly(host, files.path, true, { signal });
      const all = [...snapshots, { name: '', path: files.path }];
      const listed = await Promise.all(
        all.map(async ({ name, path }) => {
          const [own] = await subvolumesOf(host, path, { signal });
          return { path: '/', snapshot: name, readonly: name !== '', uuid: own?.uuid ?? '' };
        }),
      );
      members.push(await say('optimized_header.yaml', { subvolumes: listed }));
      const named = all.map(({ name, path }, at) => ({
        path,
        as: name === '' ? `backup/${tree}.bin` : `backup/${subject.snapshots}/${name}.bin`,
        file: join(work, `${at}.bin`),
      }));
      members.push(...(await sendStates(context, named, options)));
    } else if (files.image !== undefined) {
      const packed = async (image: string, as: string): Promise<void> => {
        if (!(await isDevice(image))) {
          members.push({ path: image, as });
          return;
        }
        // Of a device tar would keep its number.
        const path = join(work, `${members.length}.img`);
        await writeFile(path, '', { mode: 0o600 });
        await copyImage(host, image, path, { signal });
        members.push({ path, as });
      };
      for (const { name, image = '' } of snapshots)
        await packed(image, `backup/${subject.snapshots}/${name}.img`);
      await packed(files.image, `backup/${tree}.img`);
    } else {
      // Of an instance it lies beside its root; a volume's files are all its own.
      const without = tree === 'container' ? { without: ['backup.yaml'] } : {};
      for (const { name, path } of snapshots)
        members.push({ path, as: `backup/${subject.snapshots}/${name}`, ...without });
      members.push({ path: files.path, as: `backup/${tree}`, ...without });
      if (tree === 'container') {
        const own = await say('backup.yaml', config);
        members.push({ ...own, as: 'backup/container/backup.yaml' });
      }
    }
    using _told = progressOf(out, `Backing up ${subject.name}`, 'create_backup_progress', options.onProgress);
    const argv = packing(out, compressor, members);
    const { status, stderr } = await host.run(argv, { signal, allowFailure: files.live ?? false });
    if (status > changedStatus) throw new LxdError('internal', `Packing the backup failed: ${stderr.trim()}`);
    const file = await open(out, 'r');
    await file.sync().finally(() => file.close());
    const { size } = await stat(out);
    await rename(out, backupPath(dir, request.id));
    return { size };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
