import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError } from '@lxd-ts/core';
import { loadAddon, type Addon } from './addon.ts';
import { exec, openConsole, type Runtime } from './exec.ts';
import { parseInterfaces } from './interfaces.ts';
import type { Liblxc, LxcState, StartRequest } from './liblxc.ts';

const SIGKILL = 9;

/** The last error lines of liblxc's log, newest cause first, without its columns. */
async function lastErrors(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  const lines = text
    .split('\n')
    .filter((line) => / (ERROR|ALERT|CRIT|FATAL) /.test(line))
    .map((line) => line.replace(/^\S+ \S+ \S+ \S+\s+\S+ - [^ ]+ - /, '').trim());
  return lines.slice(0, 3).join('; ') || 'liblxc gave no reason';
}

async function start(runtime: Runtime, request: StartRequest): Promise<void> {
  const { name, configFile, logFile, logLevel } = request;
  const args = ['start', runtime.lxcpath, name, configFile, logFile, logLevel];
  const status = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(runtime.program, args, {
      stdio: 'ignore',
      detached: true,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (status !== 0) {
    throw new LxdError('internal', `Failed to start "${name}": ${await lastErrors(logFile)}`);
  }
}

/** The monitor is init's parent. */
async function monitorOf(initPid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${initPid}/status`, 'utf8').catch(() => '');
  const parent = Number(/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? 0);
  return parent > 1 ? parent : undefined;
}

function processEnd(addon: Addon, pid: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = addon.watchExit(pid, resolve);
    if (!cancel) {
      resolve();
      return;
    }
    const onAbort = () => {
      cancel();
      reject(signal.reason as Error);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

async function kill(runtime: Runtime, name: string, signal: AbortSignal): Promise<void> {
  const { addon, lxcpath } = runtime;
  const initPid = addon.initPid(lxcpath, name);
  const monitor = initPid > 0 ? await monitorOf(initPid) : undefined;
  if (monitor !== undefined) {
    const ended = processEnd(addon, monitor, signal);
    addon.signalInit(lxcpath, name, SIGKILL);
    // What is frozen dies only when it is thawed.
    if (addon.state(lxcpath, name)?.startsWith('FR')) await addon.unfreeze(lxcpath, name);
    await ended;
  }
  // Without an init there is only a monitor that is on its way up or down.
  while (addon.state(lxcpath, name) !== 'STOPPED') {
    addon.signalInit(lxcpath, name, SIGKILL);
    await sleep(5, undefined, { signal });
  }
}

/** The real thing. @param buildDir where native/build put the addon and the helper */
export function openLiblxc(options: { lxcpath: string; buildDir: string }): Liblxc {
  const { lxcpath, buildDir } = options;
  const addon = loadAddon(join(buildDir, 'lxc.node'));
  const runtime: Runtime = { addon, program: join(buildDir, 'lxd-ts-runtime'), lxcpath };
  const initPid = (name: string): number | undefined => {
    const pid = addon.initPid(lxcpath, name);
    return pid > 0 ? pid : undefined;
  };
  const freezer = async (verb: 'freeze' | 'unfreeze', name: string): Promise<void> => {
    if (await addon[verb](lxcpath, name)) return;
    throw new LxdError('internal', `Failed to ${verb} "${name}"; is it running?`);
  };

  return {
    lxcpath,
    version: () => addon.version(),
    active: () => addon.active(lxcpath),
    state: (name) => (addon.state(lxcpath, name) ?? 'STOPPED') as LxcState,
    initPid,
    start: async (request, { signal }) => {
      signal.throwIfAborted();
      await start(runtime, request);
      const pid = initPid(request.name);
      if (pid === undefined)
        throw new LxdError('internal', `"${request.name}" ended as soon as it had started`);
      if (signal.aborted) {
        await kill(runtime, request.name, AbortSignal.timeout(10_000));
        signal.throwIfAborted();
      }
      return { initPid: pid };
    },
    signalInit: (name, signal) => {
      if (!addon.signalInit(lxcpath, name, signal))
        throw new LxdError('not-found', `"${name}" is not running`);
    },
    kill: (name, { signal }) => kill(runtime, name, signal),
    freeze: (name) => freezer('freeze', name),
    unfreeze: (name) => freezer('unfreeze', name),
    exec: (request, { signal }) => exec(runtime, request, signal),
    console: (name, size, { signal }) => openConsole(runtime, name, size, signal),
    cgroupGet: (name, key) => addon.cgroupGet(lxcpath, name, key),
    cgroupSet: (name, key, value) => {
      if (addon.cgroupSet(lxcpath, name, key, value)) return;
      throw new LxdError('internal', `The kernel refused "${value}" for "${key}" of "${name}"`);
    },
    configItem: (name, key) => addon.configItem(lxcpath, name, key),
    interfaces: async (pid) => parseInterfaces((await addon.interfaces(pid ?? 0)) ?? ''),
    onInitExit: (name, callback) => {
      const pid = initPid(name);
      const cancel = pid === undefined ? undefined : addon.watchExit(pid, callback);
      // Gone already: told as well, never within this call.
      if (!cancel) setImmediate(callback);
      return { [Symbol.dispose]: () => cancel?.() };
    },
  };
}
