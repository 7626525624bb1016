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

export async function kill(runtime: Runtime, name: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { addon, lxcpath } = runtime;
  const initPid = addon.initPid(lxcpath, name);
  const monitor = initPid > 0 ? await monitorOf(initPid) : undefined;
  const gone = Promise.withResolvers<true>();
  const unwatch = monitor === undefined ? undefined : addon.watchExit(monitor, () => gone.resolve(true));
  try {
    // More than once, since an init that was just rebooting is followed by another.
    for (let over = !unwatch; !over;) {
      addon.signalInit(lxcpath, name, SIGKILL);
      // What is frozen dies only when it is thawed.
      if (addon.state(lxcpath, name)?.startsWith('FR')) await addon.unfreeze(lxcpath, name);
      over = await Promise.race([gone.promise, sleep(againMs, false, { signal, ref: false })]);
    }
  } finally {
    unwatch?.();
  }
  // Without an init there is only a monitor that is on its way up or down.
  while (addon.state(lxcpath, name) !== 'STOPPED') {
    addon.signalInit(lxcpath, name, SIGKILL);
    await sleep(5, undefined, { signal });
  }
}
