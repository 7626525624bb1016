import type { StorageDriver } from './driver.ts';
import { btrfs } from './drivers/btrfs.ts';
import { dir } from './drivers/dir.ts';
import { overlay } from './drivers/overlay.ts';

/** Every storage driver there is. */
export const storageDrivers: readonly StorageDriver[] = [btrfs, dir, overlay];

export const storageDriver = (type: string): StorageDriver | undefined =>
  storageDrivers.find((driver) => driver.type === type);
