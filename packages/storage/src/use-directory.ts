import { access } from 'node:fs/promises';
import { LxdError } from '@lxd-ts/core';
import type { VolumeUse } from './driver.ts';

/** The use of a volume that is a directory: it is always there. @throws LxdError `not-found` */
export async function useDirectory(path: string): Promise<VolumeUse> {
  await access(path).catch((error: unknown) => {
    throw new LxdError('not-found', `There is no volume at ${path}`, { cause: error });
  });
  return { path, mapped: false, [Symbol.asyncDispose]: () => Promise.resolve() };
}
