import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { toLxdError } from '@lxd-ts/core';
import type { Runtime } from './helper.ts';
import { isEnding } from './is-ending.ts';

const SIGKILL = 9;
const againMs = 100;

/** The monitor is init's parent. */
async function parentOf(initPid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${initPid}/status`, 'utf8').catch(() => '');
  const parent = Number(/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? 0);
  return parent > 1 ? parent : undefined;
}

/** What a monitor answers; undefined while it is ending and answers nobody. @throws LxdError `unavailable`: it hangs */
async function ask<T>({ lxcpath }: Runtime, name: string, question: () => T): Promise<T | undefined> {
  try {
    return question();
  } catch (error) {
    if (toLxdError(error).code !== 'unavailable' || !(await isEnding(lxcpath, name))) throw error;
    return undefined;
  }
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
    await ask(runtime, name, () => addon.signalInit(lxcpath, name, SIGKILL));
    // What is frozen dies only when it is thawed.
    const state = await ask(runtime, name, () => addon.state(lxcpath, name));
    if (state?.startsWith('FR')) await addon.unfreeze(lxcpath, name);
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
  const initPid = (await ask(runtime, name, () => addon.initPid(lxcpath, name))) ?? 0;
  const monitor = initPid > 0 ? await parentOf(initPid) : undefined;
  if (monitor !== undefined) await killUntilGone(runtime, name, monitor, signal);
  // Without an init there is only a monitor that is on its way up or down.
  while ((await ask(runtime, name, () => addon.state(lxcpath, name))) !== 'STOPPED') {
    await ask(runtime, name, () => addon.signalInit(lxcpath, name, SIGKILL));
    await sleep(5, undefined, { signal });
  }
}
