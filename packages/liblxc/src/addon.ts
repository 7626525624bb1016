import { createRequire } from 'node:module';
import { LxdError } from '@lxd-ts/core';

/** What native/addon.c exports. Failures are LxdErrors; `unavailable`: the monitor that was asked hangs. */
export interface Addon {
  version(): string;
  active(lxcpath: string): string[];
  state(lxcpath: string, name: string): string | undefined;
  /** -1 when it does not run. */
  initPid(lxcpath: string, name: string): number;
  configItem(lxcpath: string, name: string, key: string): string | undefined;
  cgroupGet(lxcpath: string, name: string, key: string): string | undefined;
  /** 1 or 0 */
  cgroupSet(lxcpath: string, name: string, key: string, value: string): number;
  /** 1 or 0 */
  signalInit(lxcpath: string, name: string, signal: number): number;
  freeze(lxcpath: string, name: string): Promise<boolean>;
  unfreeze(lxcpath: string, name: string): Promise<boolean>;
  /** Of the network namespace of a process; 0: our own. Undefined when it cannot be entered. */
  interfaces(pid: number): Promise<string | undefined>;
  makePipe(): [readEnd: number, writeEnd: number];
  pending(fd: number): number;
  /** Of a writable btrfs subvolume; 16 bytes. */
  setReceived(path: string, uuid: Buffer): void;
  /** Undefined when there is no such process. */
  watchExit(pid: number, callback: () => void): (() => void) | undefined;
}

/** What a native function threw; ETIMEDOUT: a container's monitor hangs (native/ask.c). */
function typed(error: unknown): LxdError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new LxdError(code === 'ETIMEDOUT' ? 'unavailable' : 'internal', message, { cause: error });
}

/** The addon file is outside any bundle, so it is loaded by path. */
export function loadAddon(path: string): Addon {
  const native = createRequire(path)(path) as Record<string, (...args: unknown[]) => unknown>;
  const wrapped = Object.entries(native).map(([name, call]) => {
    const guarded = (...args: unknown[]) => {
      try {
        return call(...args);
      } catch (error) {
        throw typed(error);
      }
    };
    return [name, guarded];
  });
  return Object.fromEntries(wrapped) as Addon;
}
