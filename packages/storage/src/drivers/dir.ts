import { access } from 'node:fs/promises';
import { DirectoryPool } from '../directory-pool.ts';
import type { StorageDriver } from '../driver.ts';
import { commonSchema } from '../schema.ts';

/** A directory of any filesystem. Every copy is a full one, unless the filesystem shares blocks by itself. */
export const dir: StorageDriver = {
  type: 'dir',
  schema: commonSchema,
  capabilities: {
    optimizedImages: false,
    optimizedCopy: false,
    quotas: false,
    remote: false,
    blockVolumes: 'files',
  },
  probe: () => access('/').then(() => '1'),
  open: (pool, context) => new DirectoryPool(pool, context),
};
