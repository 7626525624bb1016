import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { LxdError } from '@lxd-ts/core';
import type { ExecResult, Host } from './host.ts';

const maxOutput = 64 * 1024 * 1024;
export const killAfterMs = 2_000;
export const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The last lines a program wrote before it failed: what a person needs to see. */
export const tail = (text: string): string => text.trim().split('\n').slice(-3).join('; ');

/** Runs a program; see `Host.run`. */
export const run: Host['run'] = async (argv, options) => {
  const { signal, input, cwd, env, allowFailure } = options;
  signal.throwIfAborted();
  const [program, ...args] = argv;
  const child = spawn(program, args, {
    cwd,
    env: { PATH: path, LC_ALL: 'C', ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    child.kill('SIGTERM');
    timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const result = await new Promise<ExecResult>((resolve, reject) => {
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      let size = 0;
      const collect = (into: Buffer[]) => (data: Buffer) => {
        size += data.length;
        if (size > maxOutput) child.kill('SIGKILL');
        else into.push(data);
      };
      child.stdout?.on('data', collect(out));
      child.stderr?.on('data', collect(err));
      child.once('error', (error: NodeJS.ErrnoException) => {
        const why = error.code === 'ENOENT' ? 'it is not installed' : error.message;
        reject(new LxdError('internal', `Cannot run ${program}: ${why}`, { cause: error }));
      });
      child.once('close', (status, killedBy) => {
        resolve({
          stdout: Buffer.concat(out).toString('utf8'),
          stderr: Buffer.concat(err).toString('utf8'),
          status: status ?? (killedBy ? 128 : -1),
        });
      });
      if (input !== undefined && child.stdin) {
        child.stdin.on('error', () => undefined); // a program may end before it has read everything
        if (typeof input === 'string') child.stdin.end(input);
        else {
          input.on('error', (error: Error) => {
            child.kill('SIGTERM');
            reject(error);
          });
          input.pipe(child.stdin);
        }
      }
    });
    signal.throwIfAborted();
    if (result.status !== 0 && !allowFailure) {
      const said = tail(result.stderr) || tail(result.stdout) || `exit status ${result.status}`;
      throw new LxdError('internal', `${program} failed: ${said}`);
    }
    return result;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
};

/** Starts a program that outlives this one; see `Host.daemonize`. */
export const daemonize: Host['daemonize'] = async ([program, ...args], { logFile, cwd, env }) => {
  const log = openSync(logFile, 'a', 0o600);
  try {
    const child = spawn(program, args, {
      cwd: cwd ?? '/',
      env: { PATH: path, LC_ALL: 'C', ...env },
      stdio: ['ignore', log, log],
      detached: true,
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) =>
        reject(new LxdError('internal', `Cannot run ${program}: ${error.message}`)),
      );
    });
    child.unref();
    return child.pid ?? 0;
  } finally {
    closeSync(log);
  }
};
