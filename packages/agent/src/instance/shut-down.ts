import { readFile } from 'node:fs/promises';
import { LxdError } from '@lxd-ts/core';
import type { Liblxc } from '@lxd-ts/liblxc';

const SIGPWR = 30;
/** systemd's "power off", SIGRTMIN + 4, and "halt", + 3; glibc's SIGRTMIN is 34. */
const SIGRTMIN_3 = 37;

/** systemd blocks the signals it reads from a descriptor; any other init gets SIGPWR, which is what init was given it for. */
async function haltSignal(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const blocked = BigInt(`0x${/^SigBlk:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  return (blocked >> BigInt(SIGRTMIN_3 - 1)) & 1n ? SIGRTMIN_3 : SIGPWR;
}

/**
 * Asks init to halt and waits until it has.
 * @param timeoutMs -1: for ever
 * @param halt the signal that asks it; absent: what an init system understands
 * @throws LxdError `timeout`
 */
export async function shutDown(
  liblxc: Liblxc,
  id: string,
  timeoutMs: number,
  signal: AbortSignal,
  halt?: number,
): Promise<void> {
  const pid = liblxc.initPid(id);
  if (pid === undefined) return;
  const gone = Promise.withResolvers<void>();
  using _watch = liblxc.onInitExit(id, gone.resolve);
  const onAbort = () => {
    gone.reject(signal.reason as Error);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const timer =
    timeoutMs < 0
      ? undefined
      : setTimeout(() => {
          const message = `Failed shutting down instance, it is still running after ${timeoutMs / 1000} s; use force to stop it at once`;
          gone.reject(new LxdError('timeout', message));
        }, timeoutMs);
  try {
    liblxc.signalInit(id, halt ?? (await haltSignal(pid)));
    await gone.promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
