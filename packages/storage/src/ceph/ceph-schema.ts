import type { KeySchema } from '@lxd-ts/core';
import { toolName } from '../schema.ts';

/** They are parts of the name of a file, and of options of mounts. */
const plainName = (value: string): string | undefined =>
  /^(?!-)[\w.-]*$/.test(value) ? undefined : 'Value must be of letters, digits, dots, dashes and underscores';

/** What both drivers of Ceph have, under names of their own. */
export const clusterKey = (): KeySchema => ({
  check: plainName,
  description: 'Name of the Ceph cluster: its configuration is /etc/ceph/<name>.conf',
  default: 'ceph',
});

export const userKey = (): KeySchema => ({
  check: plainName,
  description: 'Ceph user that volumes and mounts are made as',
  default: 'admin',
});

/** A pool of Ceph is the same for every member. */
export const sharedSource: KeySchema = {
  check: toolName,
  description: 'What there is in the Ceph cluster',
};
