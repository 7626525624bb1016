import { validators, type ConfigSchema } from '@lxd-ts/core';
import { commonSchema, toolName } from '../schema.ts';
import { blockSchema } from '../store/block-schema.ts';
import { clusterKey, sharedSource, userKey } from './ceph-schema.ts';

/** Options of pools of images of Ceph. */
export const rbdSchema: ConfigSchema = {
  ...commonSchema,
  ...blockSchema,
  source: sharedSource,
  'ceph.cluster_name': clusterKey(),
  'ceph.user.name': userKey(),
  'ceph.osd.pool_name': { check: toolName, description: 'OSD pool' },
  'ceph.osd.data_pool_name': {
    check: toolName,
    description: 'OSD pool that the data of volumes is in',
  },
  'ceph.osd.pg_num': {
    check: validators.unsigned,
    description: 'Number of placement groups of the OSD pool',
    default: '32',
  },
  'ceph.osd.force_reuse': {
    check: validators.bool,
    description: 'Whether an OSD pool may be used that others use, too',
    default: 'false',
  },
  'ceph.osd.claim': {
    check: validators.any,
    description: 'What is written in the OSD pool, by which members know that it is theirs',
  },
  'ceph.rbd.clone_copy': {
    check: validators.bool,
    description: 'Whether copies share what they have in common, or are full ones',
    default: 'true',
    live: true,
  },
  'ceph.rbd.du': {
    check: validators.bool,
    description: 'Whether the space that a volume at rest takes is asked for, which can take long',
    default: 'true',
    live: true,
  },
  'ceph.rbd.features': {
    check: toolName,
    description: 'Features of new images, separated by commas',
    default: 'layering',
    live: true,
  },
  'volatile.pool.pristine': {
    check: validators.any,
    description: 'Whether the OSD pool was empty when the pool was made',
    memberSpecific: true,
  },
};
