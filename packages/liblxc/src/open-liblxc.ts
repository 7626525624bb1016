import { join } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import { loadAddon } from './addon.ts';
import { openConsole } from './console.ts';
import { exec } from './exec.ts';
import { openFiles } from './files.ts';
import type { Runtime } from './helper.ts';
import { parseInterfaces } from './interfaces.ts';
import { kill } from './kill.ts';
import type { Liblxc, LxcState } from './liblxc.ts';
import { shiftOwners } from './shift-owners.ts';
import { eject, inject } from './inject.ts';
import { start } from './start.ts';
import { watchDevices } from './watch-devices.ts';

/** The real thing. @param buildDir where native/build put the addon and the helper */
export function openLiblxc(options: { lxcpath: string; buildDir: string }): Liblxc {
  const { lxcpath, buildDir } = options;
  const addon = loadAddon(join(buildDir, 'lxc.node'));
  const runtime: Runtime = { addon, program: join(buildDir, 'lxd-ts-runtime'), lxcpath };
  const initPid = (name: string): number | undefined => {
    const pid = addon.initPid(lxcpath, name);
    return pid > 0 ? pid : undefined;
  };
  const freezer = async (verb: 'freeze' | 'unfreeze', name: string, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (await addon[verb](lxcpath, name)) return;
    throw new LxdError('internal', `Failed to ${verb} "${name}"; is it running?`);
  };

  return {
    lxcpath,
    version: () => addon.version(),
    active: () => addon.active(lxcpath),
    state: (name) => (addon.state(lxcpath, name) ?? 'STOPPED') as LxcState,
    initPid,
    start: (request, { signal }) => start(runtime, request, signal),
    signalInit: (name, signal) => {
      if (!addon.signalInit(lxcpath, name, signal))
        throw new LxdError('not-found', `"${name}" is not running`);
    },
    kill: (name, { signal }) => kill(runtime, name, signal),
    freeze: (name, { signal }) => freezer('freeze', name, signal),
    unfreeze: (name, { signal }) => freezer('unfreeze', name, signal),
    exec: (request, { signal }) => exec(runtime, request, signal),
    console: (name, size, { signal }) => openConsole(runtime, name, size, signal),
    files: (request, { signal }) => openFiles(runtime, request, signal),
    cgroupGet: (name, key) => addon.cgroupGet(lxcpath, name, key),
    shiftOwners: (path, ranges, { signal }) => shiftOwners(runtime.program, path, ranges, signal),
    inject: (name, mount, { signal }) => inject(runtime.program, initPid(name), mount, signal),
    eject: (name, target, remove, { signal }) =>
      eject(runtime.program, initPid(name), target, remove, signal),
    watchDevices: (dir, callback) => watchDevices(runtime.program, dir, callback),
    setReceived: (path, uuid) => {
      addon.setReceived(path, Buffer.from(uuid.replaceAll('-', ''), 'hex'));
    },
    cgroupSet: (name, key, value) => {
      if (addon.cgroupSet(lxcpath, name, key, value)) return;
      throw new LxdError('internal', `The kernel refused "${value}" for "${key}" of "${name}"`);
    },
    configItem: (name, key) => addon.configItem(lxcpath, name, key),
    interfaces: async (pid) => parseInterfaces((await addon.interfaces(pid ?? 0)) ?? ''),
    onInitExit: (name, callback) => {
      let ended = false;
      // The end may be on its way already when the watch is ended.
      const tell = () => {
        if (!ended) callback();
      };
      const pid = initPid(name);
      const cancel = pid === undefined ? undefined : addon.watchExit(pid, tell);
      // Gone already: told as well, never within this call.
      if (!cancel) setImmediate(tell);
      return {
        [Symbol.dispose]: () => {
          ended = true;
          cancel?.();
        },
      };
    },
  };
}
