import { LxdError } from '@lxd-ts/core';
import type { Liblxc } from './liblxc.ts';
import { runHelper } from './run-helper.ts';

/** See `Liblxc.inject`. */
export async function inject(
  program: string,
  pid: number | undefined,
  { source, target, options }: Parameters<Liblxc['inject']>[1],
  signal: AbortSignal,
): Promise<void> {
  if (pid === undefined) throw new LxdError('not-found', 'The container is not running');
  const args = ['inject', String(pid), source, target, options.join(',')];
  await runHelper(program, args, `Failed to mount "${source}" in the container`, signal);
}

/** See `Liblxc.eject`. */
export async function eject(
  program: string,
  pid: number | undefined,
  target: string,
  remove: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (pid === undefined) return;
  const args = ['eject', String(pid), target, remove ? 'remove' : 'keep'];
  await runHelper(program, args, `Failed to unmount "${target}" in the container`, signal);
}
