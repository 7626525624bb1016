import type { DeviceDriver } from '../driver.ts';
import { parentVlanSchema } from '../veth-options.ts';
import { findParent, insideNic, leaveParent, nicSchema, parentSchema, requireParent } from '../nic.ts';

/** An interface of its own on a parent of the host, with a MAC address of its own. */
export const nicMacvlan: DeviceDriver = {
  type: 'nic-macvlan',
  schema: { ...nicSchema, ...parentSchema, ...parentVlanSchema },
  capabilities: { hotplug: true, coldplug: true },
  validate: requireParent,
  start: async (context, { signal }) => {
    const { name: link, volatile } = await findParent(context, signal);
    return { nic: insideNic('macvlan', context, { link }), volatile };
  },
  stop: (context, { signal }) => leaveParent(context, signal),
  remove: () => Promise.resolve(),
};
