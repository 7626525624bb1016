import type { StorageDriver } from './driver.ts';
import { btrfs } from './drivers/btrfs.ts';
import { cephfs } from './drivers/cephfs.ts';
import { ceph } from './drivers/ceph.ts';
import { dir } from './drivers/dir.ts';
import { lvm } from './drivers/lvm.ts';
import { overlay } from './drivers/overlay.ts';
import { zfs } from './drivers/zfs.ts';

/** Every storage driver there is. */
export const storageDrivers: readonly StorageDriver[] = [btrfs, ceph, cephfs, dir, lvm, overlay, zfs];

export const storageDriver = (type: string): StorageDriver | undefined =>
  storageDrivers.find((driver) => driver.type === type);
