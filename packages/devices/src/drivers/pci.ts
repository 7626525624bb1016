import { LxdError, validators } from '@lxd-ts/core';
import { anyDevice } from '../checks.ts';
import type { DeviceDriver } from '../driver.ts';

function refuse(): never {
  throw new LxdError('invalid', 'Unsupported device type');
}

/** Whole PCI devices are for virtual machines. */
export const pci: DeviceDriver = {
  type: 'pci',
  schema: {
    ...anyDevice('pci'),
    address: { check: validators.any, description: 'PCI address (virtual machines only)' },
  },
  capabilities: { hotplug: false, coldplug: false },
  validate: refuse,
  start: refuse,
  stop: () => Promise.resolve({}),
  remove: () => Promise.resolve(),
};
