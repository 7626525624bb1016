import type { Host } from '@lxd-ts/host';
import type { WaitOptions } from './driver.ts';

/** Images being unpacked, by path, on each machine. */
const unpacking = new WeakMap<Host, Map<string, Promise<void>>>();

/** Whoever comes second waits for the first; when that one was given up, it unpacks itself. */
export async function unpackOnce(
  host: Host,
  path: string,
  { isThere, unpack }: { isThere: () => Promise<boolean>; unpack: () => Promise<void> },
  { signal }: WaitOptions,
): Promise<void> {
  const all = unpacking.get(host) ?? new Map<string, Promise<void>>();
  unpacking.set(host, all);
  for (let running = all.get(path); running; running = all.get(path)) {
    await running.catch(() => undefined);
    signal.throwIfAborted();
    if (await isThere()) return;
  }
  const work = unpack();
  all.set(path, work);
  try {
    await work;
  } finally {
    all.delete(path);
  }
}
