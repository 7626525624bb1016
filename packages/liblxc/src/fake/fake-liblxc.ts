import { readFileSync, writeFileSync } from 'node:fs';
import { LxdError } from '@lxd-ts/core';
import { checkRequest } from '../helper.ts';
import type {
  ConsoleSession,
  ExecProcess,
  Liblxc,
  LxcState,
  NetworkInterface,
  StartRequest,
} from '../liblxc.ts';
import { fakeExec } from './exec.ts';
import { fakeFiles } from './files.ts';
import { fakePrograms, type FakeProgram } from './programs.ts';
import { fakeTerminal } from './terminal.ts';

/** SIGKILL, SIGPWR, SIGRTMIN+3 and SIGRTMIN+4: what ends an init. */
const lethal: readonly number[] = [9, 30, 37, 38];

/** No process of a kernel has a number above 2^22, so nothing real is ever meant by a fake one. */
const firstPid = 5_000_000;

interface FakeContainer {
  initPid: number;
  frozen: boolean;
  items: Map<string, string>;
  cgroup: Map<string, string>;
  commands: Set<ExecProcess>;
  rebootMark: string | undefined;
}

/** Running containers; give the same one to two fakes and they see the same, as two daemons in turn would. */
export class FakeContainers {
  readonly running = new Map<string, FakeContainer>();
  readonly watches = new Map<number, Set<() => void>>();
  #lastPid = firstPid;

  nextPid(): number {
    return ++this.#lastPid;
  }

  /** Ends an init and, but for a reboot, its container. */
  end(name: string, reboot = false): void {
    const container = this.running.get(name);
    if (!container) return;
    for (const command of container.commands) void command[Symbol.asyncDispose]();
    container.commands.clear();
    const told = this.watches.get(container.initPid) ?? [];
    this.watches.delete(container.initPid);
    const { rebootMark } = container;
    if (reboot && rebootMark === undefined) container.initPid = this.nextPid();
    else this.running.delete(name);
    if (reboot && rebootMark !== undefined) writeFileSync(rebootMark, '');
    for (const callback of told) setImmediate(callback);
  }
}

export interface FakeLiblxcOptions {
  lxcpath?: string;
  containers?: FakeContainers;
  /** Commands that exec knows, by name. */
  programs?: Readonly<Record<string, FakeProgram>>;
  /** Why a start fails; undefined: it does not. */
  failStart?: (request: StartRequest) => string | undefined;
  interfaces?: (pid: number | undefined) => NetworkInterface[];
}

const loopback: NetworkInterface = {
  name: 'lo',
  up: true,
  kind: 'loopback',
  mtu: 65_536,
  hwaddr: '',
  addresses: [
    { family: 'inet', address: '127.0.0.1', prefix: 8 },
    { family: 'inet6', address: '::1', prefix: 128 },
  ],
};

/** `key = value` lines; a file that is not there has none. */
function readItems(configFile: string): Map<string, string> {
  let text = '';
  try {
    text = readFileSync(configFile, 'utf8');
  } catch {
    // A test may start a container without writing anything.
  }
  return new Map(
    [...text.matchAll(/^\s*(lxc\.\S+)\s*=[ \t]*(.*)$/gm)].map(([, key = '', value = '']) => [key, value]),
  );
}

/** In memory, and as the real one as its suite can tell. */
export function fakeLiblxc(options: FakeLiblxcOptions = {}): Liblxc {
  const { lxcpath = '/fake', containers = new FakeContainers(), interfaces = () => [loopback] } = options;
  const programs = { ...fakePrograms, ...options.programs };
  const { running } = containers;
  const find = (name: string): FakeContainer => {
    const container = running.get(name);
    if (!container) throw new LxdError('internal', `"${name}" is not running`);
    return container;
  };
  const state = (name: string): LxcState => {
    const container = running.get(name);
    return container ? (container.frozen ? 'FROZEN' : 'RUNNING') : 'STOPPED';
  };
  const setFrozen = async (name: string, frozen: boolean, signal: AbortSignal): Promise<void> => {
    await Promise.resolve();
    signal.throwIfAborted();
    const container = running.get(name);
    if (!container)
      throw new LxdError('internal', `Failed to ${frozen ? 'freeze' : 'unfreeze'} "${name}"; is it running?`);
    container.frozen = frozen;
  };

  return {
    lxcpath,
    version: () => '5.0.2',
    active: () => [...running.keys()],
    state,
    initPid: (name) => running.get(name)?.initPid,
    start: async (request, { signal }) => {
      signal.throwIfAborted();
      await new Promise(setImmediate);
      signal.throwIfAborted();
      const { name } = request;
      const why = running.has(name) ? 'Container is already running' : options.failStart?.(request);
      if (why !== undefined) throw new LxdError('internal', `Failed to start "${name}": ${why}`);
      const initPid = containers.nextPid();
      running.set(name, {
        initPid,
        frozen: false,
        items: readItems(request.configFile),
        cgroup: new Map([
          ['pids.max', 'max'],
          ['memory.max', 'max'],
          ['memory.limit_in_bytes', '9223372036854771712'],
          ['memory.memsw.limit_in_bytes', '9223372036854771712'],
          ['memory.soft_limit_in_bytes', '9223372036854771712'],
        ]),
        commands: new Set(),
        rebootMark: request.rebootMark,
      });
      return { initPid };
    },
    signalInit: (name, signal) => {
      if (!running.has(name)) throw new LxdError('not-found', `"${name}" is not running`);
      if (lethal.includes(signal)) setImmediate(() => containers.end(name));
    },
    kill: async (name, { signal }) => {
      await Promise.resolve();
      signal.throwIfAborted();
      containers.end(name);
    },
    freeze: (name, { signal }) => setFrozen(name, true, signal),
    unfreeze: (name, { signal }) => setFrozen(name, false, signal),
    exec: async (request, { signal }) => {
      await Promise.resolve();
      signal.throwIfAborted();
      const { name } = request;
      checkRequest(request);
      if (!running.has(name)) throw new LxdError('internal', 'the container is not running');
      const container = find(name);
      // A frozen container lets nobody in.
      if (container.frozen) return await never(signal);
      const reboot = () => void setImmediate(() => containers.end(name, true));
      const process = fakeExec({ programs, reboot }, request, containers.nextPid());
      container.commands.add(process);
      const forget = () => void container.commands.delete(process);
      process.exited.then(forget, forget);
      return process;
    },
    console: async (name, _size, { signal }) => {
      await Promise.resolve();
      signal.throwIfAborted();
      find(name);
      return fakeConsole();
    },
    files: async (request, { signal }) => {
      await Promise.resolve();
      signal.throwIfAborted();
      if ('name' in request) find(request.name);
      return fakeFiles();
    },
    cgroupGet: (name, key) => running.get(name)?.cgroup.get(key),
    inject: () => Promise.resolve(),
    eject: () => Promise.resolve(),
    watchDevices: () => ({ [Symbol.dispose]: () => undefined }),
    setReceived: () => undefined,
    shiftOwners: () => Promise.resolve(),
    cgroupSet: (name, key, value) => {
      if (running.has(name) && key.startsWith('devices.')) return;
      const { cgroup } = running.get(name) ?? { cgroup: new Map<string, string>() };
      if (!cgroup.has(key) || !/^(max|-?\d+)$/.test(value))
        throw new LxdError('internal', `The kernel refused "${value}" for "${key}" of "${name}"`);
      cgroup.set(key, value);
    },
    configItem: (name, key) => running.get(name)?.items.get(key),
    interfaces: (pid) => Promise.resolve(interfaces(pid)),
    onInitExit: (name, callback) => {
      let over = false;
      const tell = () => {
        if (!over) callback();
      };
      const pid = running.get(name)?.initPid;
      if (pid === undefined) setImmediate(tell);
      else containers.watches.set(pid, (containers.watches.get(pid) ?? new Set()).add(tell));
      return {
        [Symbol.dispose]: () => {
          over = true;
        },
      };
    },
  };
}

function never(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** A prompt that repeats what it is told. */
function fakeConsole(): ConsoleSession {
  const { outside, stdin, stdout } = fakeTerminal(() => undefined);
  stdin.on('data', (data: Buffer) => {
    if (data.includes('\n')) stdout.write('~ # ');
  });
  return {
    terminal: outside,
    resize: () => undefined,
    [Symbol.asyncDispose]: () => {
      outside.destroy();
      return Promise.resolve();
    },
  };
}
