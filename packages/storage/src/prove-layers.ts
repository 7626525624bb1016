import { lstat, mkdir, mkdtemp, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LxdError, toLxdError, type IdmapEntry } from '@lxd-ts/core';
import type { WaitOptions } from './driver.ts';
import type { Layers } from './layers.ts';

const closeMs = 60_000;
const base = 1_000_000;

/**
 * Not every filesystem can carry layers with mapped owners, and some only say so when they are written to.
 * @param directory of the pool, where layers may be tried; what a crash leaves there begins with `prefix`
 * @throws LxdError `unsupported`
 */
export async function proveLayers(
  layers: Layers,
  directory: string,
  prefix: string,
  options: WaitOptions,
): Promise<void> {
  const place = await mkdtemp(join(directory, prefix));
  const seen = join(place, 'seen');
  const map: IdmapEntry[] = [{ Isuid: true, Isgid: true, Hostid: base, Nsid: 0, Maprange: 65_536 }];
  try {
    for (const one of ['lower', 'lower/gone', 'lower/before', 'layer', 'layer/upper', 'layer/work', 'seen'])
      await mkdir(join(place, one));
    const [lower, layer] = [join(place, 'lower'), join(place, 'layer')];
    await layers.mount(['run', map], { lower, layer, target: seen }, options);
    await rmdir(join(seen, 'gone'));
    await rename(join(seen, 'before'), join(seen, 'after'));
    const { uid } = await lstat(join(seen, 'after'));
    const left = (await readdir(seen)).join();
    if (uid !== base || left !== 'after')
      throw new LxdError('unsupported', 'What is done to it is not what is seen');
  } catch (error) {
    options.signal.throwIfAborted();
    throw new LxdError('unsupported', toLxdError(error).message, { cause: error });
  } finally {
    await layers.unmount(seen, { signal: AbortSignal.timeout(closeMs) });
    await rm(place, { recursive: true, force: true });
  }
}
