import { LxdError, type Config } from '@lxd-ts/core';
import type { DeviceDriver } from '../driver.ts';
import { findParent, nicSchema, parentSchema, requireParent } from '../nic.ts';
import { giveInterfaceBack, takeInterface } from '../physical.ts';

/** An interface of the host, handed over while the instance runs. */
export const nicPhysical: DeviceDriver = {
  type: 'nic-physical',
  schema: { ...nicSchema, ...parentSchema },
  capabilities: { hotplug: true, coldplug: true },
  validate: (config: Config) => {
    requireParent(config);
    if (config['parent'] === 'lo')
      throw new LxdError('invalid', 'The loopback interface cannot be handed over');
  },
  start: async (context) => takeInterface(context, await findParent(context)),
  stop: giveInterfaceBack,
  remove: () => Promise.resolve(),
};
