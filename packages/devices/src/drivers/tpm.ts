import { join } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import { anyDevice, checks } from '../checks.ts';
import type { DeviceDriver } from '../driver.ts';
import { present } from '../nic.ts';

/** An emulated TPM. The emulator makes it of the kernel's /dev/vtpmx. */
export const tpm: DeviceDriver = {
  type: 'tpm',
  schema: {
    ...anyDevice('tpm'),
    path: { check: checks.pathInside, description: 'Path inside, e.g. /dev/tpm0' },
    pathrm: {
      check: checks.pathInside,
      description: 'Path inside of its resource manager, e.g. /dev/tpmrm0',
    },
  },
  capabilities: { hotplug: true, coldplug: true },
  validate: (config) => {
    const missing = ['path', 'pathrm'].find((key) => !config[key]);
    if (missing)
      throw new LxdError(
        'invalid',
        `Failed to validate config: Invalid value for device option "${missing}": Required value`,
      );
  },
  start: async ({ devDir }) => {
    const maker = await present(join(devDir, 'vtpmx'));
    throw new LxdError(
      'invalid',
      maker ? 'TPM emulation is not supported yet' : 'This kernel makes no emulated TPM (no /dev/vtpmx)',
    );
  },
  stop: () => Promise.resolve({}),
  remove: () => Promise.resolve(),
};
