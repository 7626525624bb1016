import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { LxdError } from '@lxd-ts/core';
import type { ExecResult, Host } from './host.ts';

const maxOutput = 64 * 1024 * 1024;
const maxComplaint = 64 * 1024;
export const killAfterMs = 2_000;
export const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The last lines a program wrote before it failed: what a person needs to see. */
export const tail = (text: string): string => text.trim().split('\n').slice(-3).join('; ').slice(-1000);

/** Keeps the last bytes of what may be endless. */
class Tail {
  #kept = Buffer.alloc(0);
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  push(data: Buffer): void {
    this.#kept = Buffer.concat([this.#kept, data]).subarray(-this.#most);
  }

  toString(): string {
    return this.#kept.toString('utf8');
  }
}

/** Runs a program; see `Host.run`. */
export const run: Host['run'] = async (argv, options) => {
  const { signal, input, cwd, env, allowFailure } = options;
  signal.throwIfAborted();
  const [program, ...args] = argv;
  const child = spawn(program, args, {
    cwd,
    env: { PATH: path, LC_ALL: 'C', ...env },
    stdio: [typeof input === 'string' ? 'pipe' : (input ?? 'ignore'), 'pipe', 'pipe'],
    // A group of its own: what the program started (tar its decompressor) ends with it and holds no pipe open.
    detached: true,
  });
  const kill = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // It has ended by itself.
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    kill('SIGTERM');
    timer = setTimeout(() => kill('SIGKILL'), killAfterMs);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const result = await new Promise<ExecResult>((resolve, reject) => {
      const out: Buffer[] = [];
      const err = new Tail(maxComplaint);
      let size = 0;
      child.stdout?.on('data', (data: Buffer) => {
        size += data.length;
        if (size <= maxOutput) out.push(data);
        else {
          kill('SIGKILL');
          reject(new LxdError('internal', `${program} says too much: more than ${maxOutput} bytes`));
        }
      });
      child.stderr?.on('data', (data: Buffer) => err.push(data));
      child.once('error', (error: NodeJS.ErrnoException) => {
        const why = error.code === 'ENOENT' ? 'it is not installed' : error.message;
        reject(new LxdError('internal', `Cannot run ${program}: ${why}`, { cause: error }));
      });
      child.once('close', (status, killedBy) => {
        resolve({
          stdout: Buffer.concat(out).toString('utf8'),
          stderr: err.toString(),
          status: status ?? (killedBy ? 128 + constants.signals[killedBy] : -1),
        });
      });
      child.stdin?.on('error', () => undefined); // a program may end before it has read everything
      child.stdin?.end(input);
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

const closeOnExec = 0o2000000;

/** Files that came from who started this process, above those that Node closes by itself: a pipe among them would never end. */
function inherited(): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => {
      if (fd <= 2) return false;
      try {
        const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
        return flags !== undefined && (parseInt(flags, 8) & closeOnExec) === 0;
      } catch {
        return false; // the one that the directory was read by
      }
    });
}

/** Starts a program that outlives this one; see `Host.daemonize`. */
export const daemonize: Host['daemonize'] = async ([program, ...args], { logFile, cwd, env }) => {
  const log = openSync(logFile, 'a', 0o600);
  const nothing = openSync('/dev/null', 'r+');
  try {
    const stdio: ('ignore' | number)[] = ['ignore', log, log];
    // Of those above, nothing is passed on where nothing is said.
    for (const fd of inherited()) stdio[fd] = nothing;
    const child = spawn(program, args, {
      cwd: cwd ?? '/',
      env: { PATH: path, LC_ALL: 'C', ...env },
      stdio: Array.from(stdio, (what: 'ignore' | number | undefined) => what ?? 'ignore'),
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
    closeSync(nothing);
  }
};
