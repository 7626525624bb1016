import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Runtime } from './helper.ts';

const SIGKILL = 9;
const againMs = 100;

/** The monitor is init's parent. */
async function monitorOf(initPid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${initPid}/status`, 'utf8').catch(() => '');
  const parent = Number(/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? 0);
  return parent > 1 ? parent : undefined;
}

/** Strikes until the monitor is gone: more than once, since an init that was just rebooting is followed by another. */
async function killUntilGone(
  runtime: Runtime,
  name: string,
  monitor: number,
  signal: AbortSignal,
): Promise<void> {
  const { addon, lxcpath } = runtime;
  const gone = Promise.withResolvers<unknown>();
  const unwatch = addon.watchExit(monitor, () => gone.resolve(undefined));
  if (!unwatch) return;
  const strike = async () => {
    addon.signalInit(lxcpath, name, SIGKILL);
    // What is frozen dies only when it is thawed.
    if (addon.state(lxcpath, name)?.startsWith('FR')) await addon.unfreeze(lxcpath, name);
  };
  const again = setInterval(() => void strike().catch(gone.reject), againMs);
  const onAbort = () => gone.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.all([strike(), gone.promise]);
  } finally {
    clearInterval(again);
    signal.removeEventListener('abort', onAbort);
    unwatch();
  }
}

export async function kill(runtime: Runtime, name: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { addon, lxcpath } = runtime;
  const initPid = addon.initPid(lxcpath, name);
  const monitor = initPid > 0 ? await monitorOf(initPid) : undefined;
  if (monitor !== undefined) await killUntilGone(runtime, name, monitor, signal);
  // Without an init there is only a monitor that is on its way up or down.
  while (addon.state(lxcpath, name) !== 'STOPPED') {
    addon.signalInit(lxcpath, name, SIGKILL);
    await sleep(5, undefined, { signal });
  }
}
