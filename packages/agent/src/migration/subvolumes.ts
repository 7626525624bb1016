import { lstat, rmdir, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';

/** One subvolume of a volume: the volume's own is `/`. */
export interface Subvolume {
  path: string;
  readonly: boolean;
  /** As the stream of it names it: that of the subvolume it was received from, else its own. */
  uuid: string;
}

interface Wait {
  signal: AbortSignal;
}

const field = (text: string, name: string): string =>
  new RegExp(`^\\s*${name}:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';

async function show(host: Host, path: string, { signal }: Wait): Promise<{ top: string; text: string }> {
  const { stdout } = await host.run(['btrfs', 'subvolume', 'show', '--', path], { signal });
  return { top: stdout.split('\n')[0]?.trim() ?? '', text: stdout };
}

/** Paths within the volume of what is nested in it, parents first. */
export async function nestedIn(host: Host, path: string, wait: Wait): Promise<string[]> {
  const { top } = await show(host, path, wait);
  const { stdout } = await host.run(['btrfs', 'subvolume', 'list', '-o', '--', path], wait);
  const direct = stdout
    .split('\n')
    .map((line) => / path (.*)$/.exec(line)?.[1] ?? '')
    .filter((name) => name.startsWith(`${top}/`))
    .map((name) => name.slice(top.length))
    .sort();
  const all: string[] = [];
  for (const one of direct) {
    all.push(one);
    for (const deeper of await nestedIn(host, join(path, one), wait)) all.push(one + deeper);
  }
  return all;
}

/** The volume's own subvolume and those nested in it. */
export async function subvolumesOf(host: Host, path: string, wait: Wait): Promise<Subvolume[]> {
  const paths = ['/', ...(await nestedIn(host, path, wait))];
  const found: Subvolume[] = [];
  for (const one of paths) {
    const { text } = await show(host, join(path, one), wait);
    const received = field(text, 'Received UUID');
    found.push({
      path: one,
      readonly: field(text, 'Flags').includes('readonly'),
      uuid: uuidPattern.test(received) ? received : field(text, 'UUID'),
    });
  }
  return found;
}

export async function setReadonly(
  host: Host,
  path: string,
  readonly: boolean,
  { signal }: Wait,
): Promise<void> {
  await host.run(['btrfs', '-q', 'property', 'set', '-f', '-ts', path, 'ro', String(readonly)], { signal });
}

/** What it takes to handle subvolumes that were received from others. */
export interface SubvolumeTools {
  host: Host;
  setReceived(path: string, uuid: string): void;
}

const uuidPattern = /^[0-9a-f-]{36}$/;

/** To be written to or moved, still known for what it was received from: the kernel forgets it of what becomes writable. */
export async function makeWritable(
  { host, setReceived }: SubvolumeTools,
  path: string,
  wait: Wait,
): Promise<void> {
  const received = field((await show(host, path, wait)).text, 'Received UUID');
  await setReadonly(host, path, false, wait);
  if (uuidPattern.test(received)) setReceived(path, received);
}

export async function createSubvolume(host: Host, path: string, { signal }: Wait): Promise<void> {
  await host.run(['btrfs', '-q', 'subvolume', 'create', '--', path], { signal });
}

/** What is put into a directory here was there before. */
export async function keepingTimes(directory: string, work: () => Promise<void>): Promise<void> {
  const { atime, mtime } = await lstat(directory);
  await work();
  await utimes(directory, atime, mtime);
}

/**
 * A writable copy of the volume with all that is nested in it. Written anew and not as a read-only snapshot: one of those
 * would pass for what its origin was received from, and a later difference would be made from the wrong state.
 */
export async function cloneTree(host: Host, from: string, to: string, wait: Wait): Promise<void> {
  const nested = await nestedIn(host, from, wait);
  const snapshot = (source: string, target: string) =>
    host.run(['btrfs', '-q', 'subvolume', 'snapshot', '--', source, target], wait);
  await snapshot(from, to);
  for (const one of nested) {
    const target = join(to, one);
    await keepingTimes(dirname(target), async () => {
      // In a snapshot an empty directory is where the nested one was.
      await rmdir(target).catch(() => undefined);
      await snapshot(join(from, one), target);
    });
  }
}

/** All of the tree, whatever is nested in it. Gone already: nothing done. */
export async function deleteTree(host: Host, path: string, wait: Wait): Promise<void> {
  if (!(await lstat(path).catch(() => undefined))) return;
  const all = ['/', ...(await nestedIn(host, path, wait))].map((one) => join(path, one));
  for (const one of all) await setReadonly(host, one, false, wait);
  for (const one of all.reverse()) await host.run(['btrfs', '-q', 'subvolume', 'delete', '--', one], wait);
}

/** @throws LxdError `invalid` for a path that leads elsewhere */
export function checkNested(path: string): string {
  const wrong = !path.startsWith('/') || path.split('/').some((part) => part === '..' || part === '.');
  if (wrong)
    throw new LxdError('invalid', `The other server named a subvolume outside of its volume: ${path}`);
  return path;
}
