import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Readable, type Duplex, type Writable } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import type { Host } from './host.ts';
import { killAfterMs, path, tail } from './run.ts';

const keptOfStderr = 8192;

/** See `Host.open`. */
export const openProgram: Host['open'] = (
  [program, ...args],
  { signal, sockets = 0, allowed = [0], output },
) => {
  const release = () => {
    if (output !== undefined) closeSync(output);
  };
  if (signal.aborted) release();
  signal.throwIfAborted();
  const child = spawn(program, args, {
    env: { PATH: path, LC_ALL: 'C' },
    stdio: ['pipe', output ?? 'pipe', 'pipe', ...Array.from({ length: sockets }, () => 'pipe' as const)],
  });
  release();
  const { stdin, stderr } = child as { stdin: Writable; stderr: Readable };
  let said = '';
  stderr.on('data', (data: Buffer) => {
    said = (said + data.toString('utf8')).slice(-keptOfStderr);
  });
  stdin.on('error', () => undefined); // a program may end before it has read everything
  const extra = child.stdio.slice(3) as unknown as Duplex[];
  for (const socket of extra) socket.on('error', () => undefined);

  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    child.kill('SIGTERM');
    timer ??= setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  };
  signal.addEventListener('abort', end, { once: true });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'it is not installed' : error.message;
      reject(new LxdError('internal', `Cannot run ${program}: ${why}`, { cause: error }));
    });
    // Not `close`: what it started may hold its sockets a little longer.
    child.once('exit', (status, killedBy) => {
      if (signal.aborted) reject(signal.reason as Error);
      else if (status !== null && allowed.includes(status)) resolve();
      else
        reject(
          new LxdError(
            'internal',
            `${program} failed: ${tail(said) || `exit status ${status ?? killedBy ?? ''}`}`,
          ),
        );
    });
  }).finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  });
  ended.catch(() => undefined);
  return {
    stdin,
    stdout: child.stdout ?? Readable.from([]),
    extra,
    ended,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) end();
      await ended.catch(() => undefined);
      for (const socket of extra) socket.destroy();
    },
  };
};
