import { createRequire } from 'node:module';

/** What native/addon.c exports. */
export interface Addon {
  version(): string;
  active(lxcpath: string): string[];
  state(lxcpath: string, name: string): string | undefined;
  /** -1 when it does not run. */
  initPid(lxcpath: string, name: string): number;
  configItem(lxcpath: string, name: string, key: string): string | undefined;
  cgroupGet(lxcpath: string, name: string, key: string): string | undefined;
  cgroupSet(lxcpath: string, name: string, key: string, value: string): boolean;
  signalInit(lxcpath: string, name: string, signal: number): boolean;
  freeze(lxcpath: string, name: string): Promise<boolean>;
  unfreeze(lxcpath: string, name: string): Promise<boolean>;
  /** Of the network namespace of a process; 0: our own. Undefined when it cannot be entered. */
  interfaces(pid: number): Promise<string | undefined>;
  makePipe(): [readEnd: number, writeEnd: number];
  pending(fd: number): number;
  /** Undefined when there is no such process. */
  watchExit(pid: number, callback: () => void): (() => void) | undefined;
}

/** The addon file is outside any bundle, so it is loaded by path. */
export function loadAddon(path: string): Addon {
  return createRequire(path)(path) as Addon;
}
