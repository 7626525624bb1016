import { spawn } from 'node:child_process';
import { LxdError } from '@lxd-ts/core';
import { helperEnvironment } from './helper.ts';

/** Runs the helper to its end. @throws LxdError `internal`, `what` and what it said, when it fails */
export function runHelper(
  program: string,
  args: readonly string[],
  what: string,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: helperEnvironment });
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
      else reject(new LxdError('internal', `${what}: ${said.trim()}`));
    });
  }).finally(() => signal.removeEventListener('abort', onAbort));
}
