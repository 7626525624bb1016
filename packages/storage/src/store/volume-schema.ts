import { parseSize, toLxdError, validators, type ConfigSchema } from '@lxd-ts/core';

/** What LXD's `volume.*` options of a pool say of its volumes; a size, in bytes or with a suffix. */
export const size = (value: string): string | undefined => {
  try {
    parseSize(value);
    return undefined;
  } catch (error) {
    return toLxdError(error).message;
  }
};

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
