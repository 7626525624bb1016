import { LxdError, type Config } from '@lxd-ts/core';
import type { DeviceDriver } from '../driver.ts';
import { findParent, leaveParent, nicSchema, parentSchema, requireParent } from '../nic.ts';
import { giveInterfaceBack, takeInterface } from '../physical.ts';
import { parentVlanSchema } from '../veth-options.ts';

/** An interface of the host, handed over while the instance runs. */
export const nicPhysical: DeviceDriver = {
  type: 'nic-physical',
  schema: { ...nicSchema, ...parentSchema, ...parentVlanSchema },
  capabilities: { hotplug: true, coldplug: true },
  validate: (config: Config) => {
    requireParent(config);
    if (config['parent'] === 'lo')
      throw new LxdError('invalid', 'The loopback interface cannot be handed over');
  },
  start: async (context, { signal }) => {
    const { name, volatile } = await findParent(context, signal);
    const taken = await takeInterface(context, name);
    return { ...taken, volatile: { ...taken.volatile, ...volatile } };
  },
  stop: async (context, options) => ({
    ...(await giveInterfaceBack(context, options)),
    ...(await leaveParent(context, options.signal)),
  }),
  remove: () => Promise.resolve(),
};
