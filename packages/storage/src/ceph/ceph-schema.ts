import type { KeySchema } from '@lxd-ts/core';
import { validators } from '@lxd-ts/core';

/** What both drivers of Ceph have, under names of their own. */
export const clusterKey = (): KeySchema => ({
  check: validators.any,
  description: 'Name of the Ceph cluster: its configuration is /etc/ceph/<name>.conf',
  default: 'ceph',
});

export const userKey = (): KeySchema => ({
  check: validators.any,
  description: 'Ceph user that volumes and mounts are made as',
  default: 'admin',
});

/** A pool of Ceph is the same for every member. */
export const sharedSource: KeySchema = {
  check: validators.any,
  description: 'What there is in the Ceph cluster',
};
