import { spawn } from 'node:child_process';
import { LxdError } from '@lxd-ts/core';
import { helperEnvironment } from './helper.ts';
import type { ShiftedRange } from './liblxc.ts';

/** See `Liblxc.shiftOwners`. */
export function shiftOwners(
  program: string,
  path: string,
  ranges: readonly ShiftedRange[],
  signal: AbortSignal,
): Promise<void> {
  const args = ranges.map(({ users, groups, outside, inside, length }) => {
    const whose = `${users ? 'u' : ''}${groups ? 'g' : ''}`;
    return `${whose} ${outside} ${inside} ${length}`;
  });
  const child = spawn(program, ['shift', path, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: helperEnvironment,
  });
  const onAbort = () => child.kill('SIGKILL');
  signal.addEventListener('abort', onAbort, { once: true });
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said = (said + data.toString('utf8')).slice(-2048);
  });
  return new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      if (signal.aborted) reject(signal.reason as Error);
      else if (status === 0) resolve();
      else reject(new LxdError('internal', `The owners of files cannot be changed: ${said.trim()}`));
    });
  }).finally(() => signal.removeEventListener('abort', onAbort));
}
