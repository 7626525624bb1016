import { validators, type ConfigSchema } from '@lxd-ts/core';

/** Of drivers that put a filesystem on a block device. */
export const blockSchema: ConfigSchema = {
  'volume.block.filesystem': {
    check: validators.oneOf('btrfs', 'ext4', 'xfs'),
    description: 'Filesystem of new volumes',
    default: 'ext4',
    live: true,
  },
  'volume.block.mount_options': {
    check: validators.any,
    description: 'Options that volumes are mounted with',
    default: 'discard',
    live: true,
  },
};
