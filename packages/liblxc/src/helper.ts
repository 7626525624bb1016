import { spawn, type ChildProcess } from 'node:child_process';
import { LxdError } from '@lxd-ts/core';
import type { Addon } from './addon.ts';
import type { Control } from './control.ts';
import type { ExecRequest } from './liblxc.ts';

export interface Runtime {
  addon: Addon;
  /** Path of the helper. */
  program: string;
  lxcpath: string;
}

/** Nothing of the daemon's environment is for the helper, least of all what a user of exec asks for. */
export const helperEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

/** The helper with a control socket on its descriptor 3. */
export function spawnHelper(
  runtime: Runtime,
  args: readonly string[],
  stdio: readonly (number | 'pipe' | 'ignore')[],
): ChildProcess {
  // A session of its own: what the daemon's terminal sends is not for it.
  const options = { stdio: [...stdio, 'pipe' as const], env: helperEnvironment, detached: true };
  return spawn(runtime.program, args, options);
}

/** Waits until the helper has got into the container, which it may never do: a frozen one takes nobody in. */
export async function attached(control: Control, signal: AbortSignal): Promise<number> {
  const onAbort = () => control.callOff(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await control.attached;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** @throws LxdError `invalid` */
export function checkRequest(request: Pick<ExecRequest, 'argv' | 'environment' | 'cwd'>): void {
  if (request.argv.length === 0)
    throw new LxdError('invalid', '"command" is empty; give at least a program to run');
  const texts = [...request.argv, ...Object.entries(request.environment).flat(), request.cwd];
  if (texts.some((text) => text.includes('\0')))
    throw new LxdError('invalid', 'A command, a variable or the directory holds a NUL character');
}

/** Counts, then texts that end in NUL: read_request of native/exec.c. */
export function encodeRequest(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
): Buffer {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const body = Buffer.from([...argv, ...variables].map((text) => `${text}\0`).join(''));
  const head = Buffer.alloc(12);
  head.writeUInt32LE(body.length, 0);
  head.writeUInt32LE(argv.length, 4);
  head.writeUInt32LE(variables.length, 8);
  return Buffer.concat([head, body]);
}
