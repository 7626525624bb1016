import { mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseSize, type Undo } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import type { WaitOptions } from '../driver.ts';

/** A file that has room for so much, and takes none yet. */
export async function makeLoopFile(file: string, size: string, undo: Undo): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await rm(file, { force: true });
  undo.push(() => rm(file, { force: true }));
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.truncate(parseSize(size));
  } finally {
    await handle.close();
  }
}

/** The loop devices of a file, e.g. `/dev/loop0`. */
export async function loopsOf(host: Host, file: string, { signal }: WaitOptions): Promise<string[]> {
  const argv = ['losetup', '--noheadings', '--output', 'NAME', '--associated', file] as const;
  const { stdout } = await host.run(argv, { signal });
  return stdout
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}

/** One that there is, or a new one. */
export async function attachLoop(host: Host, file: string, options: WaitOptions): Promise<string> {
  const [found] = await loopsOf(host, file, options);
  if (found !== undefined) return found;
  const { stdout } = await host.run(['losetup', '--find', '--show', '--', file], { signal: options.signal });
  return stdout.trim();
}

export async function detachLoops(host: Host, file: string, options: WaitOptions): Promise<void> {
  for (const device of await loopsOf(host, file, options))
    await host.run(['losetup', '--detach', device], { signal: options.signal });
}
