import { mkdir, readdir, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import type { MessageChannel } from '@lxd-ts/rpc';
import { readJson, sendJson } from './json-part.ts';
import type { SubvolumeLanding } from './landing.ts';
import type { Agreement } from './negotiate.ts';
import type { RsyncOptions } from './rsync.ts';
import { checkSnapshotName } from './snapshot-item.ts';
import {
  checkNested,
  keepingTimes,
  makeWritable,
  setReadonly,
  subvolumesOf,
  type Subvolume,
  type SubvolumeTools,
} from './subvolumes.ts';

/** One subvolume of the header: which state of the volume it belongs to; empty: as it is now. */
interface Listed extends Subvolume {
  snapshot: string;
}

type Transfer = RsyncOptions & { pace?: (bytes: number) => Promise<void> };

const isListed = (value: unknown): value is Listed => {
  const one = value as Partial<Listed> | null;
  return (
    typeof one?.path === 'string' && typeof one.snapshot === 'string' && typeof (one.uuid ?? '') === 'string'
  );
};

function listOf(answer: unknown): Listed[] {
  const { subvolumes } = (answer ?? {}) as { subvolumes?: unknown };
  if (!Array.isArray(subvolumes) || !subvolumes.every(isListed))
    throw new LxdError('invalid', 'The other server sent a list of subvolumes that is none');
  for (const { path, snapshot } of subvolumes) {
    checkNested(path);
    if (snapshot !== '') checkSnapshotName(snapshot);
  }
  return subvolumes;
}

async function sendSubvolume(
  host: Host,
  path: string,
  parent: string | undefined,
  channel: MessageChannel,
  { signal, onBytes, pace }: Transfer,
): Promise<void> {
  const from = parent === undefined ? [] : ['-p', parent];
  const { read, write } = await host.pipe({ signal });
  const argv = ['btrfs', '-q', 'send', ...from, path] as const;
  const sent = channel.sendPipe(read, { onBytes, pace });
  sent.catch(() => undefined);
  await using program = host.open(argv, { signal, output: write });
  program.stdin.end();
  await sent;
  await program.ended;
  await channel.sendEnd();
}

export interface BtrfsSource {
  /** A clone of the volume that is the sender's to change. */
  volume: string;
  snapshots: readonly { name: string; path: string }[];
}

/** Every state that the sink lacks, oldest first, each as the difference from the one before it. */
export async function sendByBtrfs(
  tools: SubvolumeTools,
  agreement: Agreement,
  source: BtrfsSource,
  channel: MessageChannel,
  options: Transfer,
): Promise<void> {
  const { signal } = options;
  const { host } = tools;
  const states = [...source.snapshots, { name: '', path: source.volume }];
  const listed: (Listed & { root: string })[] = [];
  for (const { name, path } of states) {
    const all = await subvolumesOf(host, path, { signal });
    const used = agreement.btrfs.subvolumes ? all : all.slice(0, 1);
    listed.push(
      ...used.map((one) => ({ ...one, readonly: name !== '' && one.readonly, snapshot: name, root: path })),
    );
  }
  let wanted: (one: Listed) => boolean = ({ snapshot }) =>
    snapshot === '' || agreement.snapshots.includes(snapshot);
  if (agreement.btrfs.header) {
    await sendJson(channel, {
      subvolumes: listed.map(({ path, snapshot, readonly, uuid }) => ({ path, snapshot, readonly, uuid })),
    });
    if (agreement.refresh && agreement.btrfs.uuids) {
      const asked = new Set(
        listOf(await readJson(channel)).map(({ snapshot, path }) => `${snapshot} ${path}`),
      );
      wanted = ({ snapshot, path }) => asked.has(`${snapshot} ${path}`);
    }
  }
  for (const one of listed.filter(wanted)) {
    const before = listed
      .slice(0, listed.indexOf(one))
      .findLast(({ path, snapshot }) => path === one.path && snapshot !== one.snapshot);
    const path = join(one.root, one.path);
    const parent = before && join(before.root, before.path);
    // Only what cannot change can be sent.
    const opened = one.readonly ? [] : [path];
    if (before && !before.readonly && parent !== undefined) opened.push(parent);
    for (const open of opened) await setReadonly(host, open, true, { signal });
    try {
      await sendSubvolume(host, path, parent, channel, options);
    } finally {
      for (const open of opened) await makeWritable(tools, open, { signal: AbortSignal.timeout(10_000) });
    }
  }
}

/** One stream, into a directory of its own. Returns where what it made is. */
async function receiveSubvolume(
  host: Host,
  directory: string,
  channel: MessageChannel,
  { signal, onBytes }: Transfer,
): Promise<string> {
  await mkdir(directory);
  await using program = host.open(['btrfs', '-q', 'receive', '-e', directory], { signal });
  program.stdout.resume();
  const feed = channel.receiveAll(program.stdin, onBytes).then(() => program.stdin.end());
  await Promise.all([feed, program.ended]);
  const [name] = await readdir(directory);
  if (name === undefined) throw new LxdError('internal', 'btrfs received no subvolume');
  return join(directory, name);
}

/** Received UUIDs of what is in the snapshots' directory, by name and path. */
async function presentUuids(
  host: Host,
  directory: string,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of await readdir(directory).catch(() => [])) {
    for (const { path, uuid } of await subvolumesOf(host, join(directory, name), { signal }).catch(() => []))
      found.set(`${name} ${path}`, uuid);
  }
  return found;
}

/** The other end: each state is put together from its subvolumes, then taken. */
export async function receiveByBtrfs(
  tools: SubvolumeTools,
  agreement: Agreement,
  landing: SubvolumeLanding,
  present: string,
  channel: MessageChannel,
  options: Transfer,
): Promise<void> {
  const { signal } = options;
  const { host } = tools;
  let listed: Listed[] = [...agreement.snapshots, ''].map((snapshot) => ({
    path: '/',
    snapshot,
    readonly: snapshot !== '',
    uuid: '',
  }));
  if (agreement.btrfs.header) {
    listed = listOf(await readJson(channel));
    if (agreement.refresh && agreement.btrfs.uuids) {
      const have = await presentUuids(host, present, signal);
      const lacks = ({ snapshot, path, uuid }: Listed): boolean =>
        snapshot === '' || agreement.snapshots.includes(snapshot) || have.get(`${snapshot} ${path}`) !== uuid;
      // A state is asked for whole: its parts are put together anew.
      const states = new Set(listed.filter(lacks).map(({ snapshot }) => snapshot));
      listed = listed.filter(({ snapshot }) => states.has(snapshot));
      await sendJson(channel, { subvolumes: listed });
    } else {
      listed = listed.filter(({ snapshot }) => snapshot === '' || agreement.snapshots.includes(snapshot));
    }
  }
  const inbox = await landing.inbox();
  const states = [...new Set(listed.map(({ snapshot }) => snapshot))];
  for (const [at, snapshot] of states.entries()) {
    const parts = listed.filter((one) => one.snapshot === snapshot);
    const received: string[] = [];
    for (const [index] of parts.entries())
      received.push(await receiveSubvolume(host, join(inbox, `${at}-${index}`), channel, options));
    const root = received[0] === undefined ? undefined : await realpath(received[0]);
    if (root === undefined || parts[0]?.path !== '/')
      throw new LxdError('invalid', 'The other server sent a volume without its beginning');
    await makeWritable(tools, root, { signal });
    for (const [index, part] of parts.entries()) {
      const from = received[index];
      if (index === 0 || from === undefined) continue;
      await nest(tools, from, root, part, signal);
    }
    await landing.take(root, snapshot === '' ? undefined : snapshot);
    for (const [index] of parts.entries())
      await rm(join(inbox, `${at}-${index}`), { recursive: true, force: true });
  }
}

/** Puts a nested subvolume where it belongs. Moved, so that it stays what a later difference can be made from. */
async function nest(
  tools: SubvolumeTools,
  from: string,
  root: string,
  part: Listed,
  signal: AbortSignal,
): Promise<void> {
  const target = join(root, part.path);
  const parent = await realpath(dirname(target));
  if (parent !== root && !parent.startsWith(`${root}/`))
    throw new LxdError('invalid', `The other server named a subvolume outside of its volume: ${part.path}`);
  await makeWritable(tools, from, { signal });
  await keepingTimes(parent, async () => {
    await rmdir(target).catch(() => undefined);
    await rename(from, target);
  });
  if (part.readonly) await setReadonly(tools.host, target, true, { signal });
}
