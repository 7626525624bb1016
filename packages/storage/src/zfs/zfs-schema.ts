import { parseSize, validators, type ConfigSchema } from '@lxd-ts/core';
import { commonSchema, size, sizeSchema, toolName } from '../schema.ts';

function blockSize(value: string): string | undefined {
  const wrong = size(value);
  if (wrong !== undefined) return wrong;
  const bytes = parseSize(value);
  const right = bytes >= 512 && bytes <= 16 * 1024 ** 2 && Number.isInteger(Math.log2(bytes));
  return right ? undefined : 'Value should be between 512 and 16MiB, and be power of 2';
}

export const zfsSchema: ConfigSchema = {
  ...commonSchema,
  ...sizeSchema,
  'zfs.clone_copy': {
    check: validators.oneOf('true', 'false', 'rebase', '1', '0', 'yes', 'no', 'on', 'off'),
    description: 'Whether copies share what they have in common, or are full ones; rebase: as true',
    default: 'true',
    live: true,
  },
  'zfs.export': {
    check: validators.bool,
    description: 'Whether the zpool is exported while the pool is not mounted',
    default: 'true',
    live: true,
  },
  'zfs.pool_name': { check: toolName, description: 'Zpool, or dataset in one', memberSpecific: true },
  'volume.zfs.blocksize': {
    check: blockSize,
    description: 'Record size of new volumes: a power of 2 from 512 to 16MiB',
    live: true,
  },
  'volume.zfs.remove_snapshots': {
    check: validators.bool,
    description: 'Nothing here: a volume goes back to any snapshot without losing later ones',
    default: 'false',
    live: true,
  },
  'volume.zfs.use_refquota': {
    check: validators.bool,
    description: 'Whether snapshots are left out of what counts for the limit of a volume',
    default: 'false',
    live: true,
  },
  'volume.zfs.reserve_space': {
    check: validators.bool,
    description: 'Whether the limit of a volume is set aside for it',
    default: 'false',
    live: true,
  },
};
