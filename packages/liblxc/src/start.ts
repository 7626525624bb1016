import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError } from '@lxd-ts/core';
import { helperEnvironment, type Runtime } from './helper.ts';
import { kill } from './kill.ts';
import type { StartRequest } from './liblxc.ts';
import { monitorOf } from './monitor-of.ts';

const SIGKILL = 9;
const abortMs = 20;
/** How long a start that was called off may take to end: it may hang in a hook or a mount. */
const giveUpMs = 10_000;

/** The first error lines that liblxc has logged after `from`, without their columns; the cause comes first. */
async function errorsSince(logFile: string, from: number): Promise<string> {
  const log = await readFile(logFile).catch(() => Buffer.alloc(0));
  const lines = log
    .subarray(log.length < from ? 0 : from)
    .toString()
    .split('\n')
    .filter((line) => / (ERROR|ALERT|CRIT|FATAL) /.test(line))
    .map((line) => line.replace(/^\S+ \S+ \S+ \S+\s+\S+ - [^ ]+ - /, '').trim());
  return lines.slice(0, 3).join('; ') || 'liblxc gave no reason';
}

/** How long nothing is thought of a start that takes its time, and how often it is looked at then. */
const patienceMs = 3_000;
const lookMs = 500;

const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/**
 * liblxc waits for ever for a first process that died before it had said anything, as one does that its seccomp policy
 * leaves nothing to.
 */
async function endHanging(lxcpath: string, name: string, signal: AbortSignal): Promise<void> {
  await sleep(patienceMs, undefined, { signal });
  for (let dead = 0; dead < 2; await sleep(lookMs, undefined, { signal })) {
    const monitor = await monitorOf(lxcpath, name);
    const stats = await Promise.all((monitor?.children ?? []).map((pid) => read(`/proc/${pid}/stat`)));
    const isDead =
      stats.length > 0 && stats.every((stat) => / Z /.test(stat.slice(stat.lastIndexOf(')') + 1)));
    dead = isDead ? dead + 1 : 0;
    if (dead === 2 && monitor && !signal.aborted) process.kill(monitor.pid, 'SIGKILL');
  }
}

const running = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null;

export async function start(
  runtime: Runtime,
  request: StartRequest,
  signal: AbortSignal,
): Promise<{ initPid: number }> {
  const { addon, lxcpath, program } = runtime;
  const { name, configFile, logFile, logLevel, rebootMark, init = [] } = request;
  const logged = (await stat(logFile).catch(() => undefined))?.size ?? 0;
  signal.throwIfAborted();
  const mark = rebootMark === undefined ? [] : [rebootMark, ...init];
  const args = ['start', lxcpath, name, configFile, logFile, logLevel, ...mark];
  const child = spawn(program, args, { stdio: 'ignore', detached: true, env: helperEnvironment });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  // Killing the helper would leave its monitor to go on: it is init that must die, as soon as there is one.
  const onAbort = async () => {
    for (let waited = 0; waited < giveUpMs && running(child); waited += abortMs) {
      addon.signalInit(lxcpath, name, SIGKILL);
      await sleep(abortMs);
    }
    child.kill('SIGKILL');
  };
  const listener = () => void onAbort().catch(() => child.kill('SIGKILL'));
  signal.addEventListener('abort', listener, { once: true });
  const settled = new AbortController();
  endHanging(lxcpath, name, settled.signal).catch(() => undefined);
  try {
    const [status] = await ended;
    if (signal.aborted) {
      await kill(runtime, name, AbortSignal.timeout(10_000));
      signal.throwIfAborted();
    }
    if (status !== 0) {
      // Its monitor may still be on the way out; until then another start would find the name taken.
      for (let waited = 0; waited < giveUpMs && addon.active(lxcpath).includes(name); waited += abortMs)
        await sleep(abortMs);
      throw new LxdError('internal', `Failed to start "${name}": ${await errorsSince(logFile, logged)}`);
    }
  } finally {
    settled.abort();
    signal.removeEventListener('abort', listener);
  }
  const initPid = addon.initPid(lxcpath, name);
  if (initPid <= 0 && request.mayEnd) return { initPid: 0 };
  if (initPid <= 0) throw new LxdError('internal', `"${name}" ended as soon as it had started`);
  return { initPid };
}
