import { access } from 'node:fs/promises';
import { LxdError } from '@lxd-ts/core';
import { blockFile, checkBlockFile } from './block-file.ts';
import type { VolumeRef, VolumeUse } from './driver.ts';

/** The use of a volume that is a directory: it is always there. @throws LxdError `not-found` */
export async function useDirectory(path: string, { block }: Pick<VolumeRef, 'block'>): Promise<VolumeUse> {
  if (block) await checkBlockFile(path);
  await access(path).catch((error: unknown) => {
    throw new LxdError('not-found', `There is no volume at ${path}`, { cause: error });
  });
  return {
    path,
    mapped: false,
    ...(block ? { image: blockFile(path) } : {}),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
