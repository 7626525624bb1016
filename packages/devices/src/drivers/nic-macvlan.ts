import type { DeviceDriver } from '../driver.ts';
import { findParent, insideNic, nicSchema, parentSchema, requireParent } from '../nic.ts';

/** An interface of its own on a parent of the host, with a MAC address of its own. */
export const nicMacvlan: DeviceDriver = {
  type: 'nic-macvlan',
  schema: { ...nicSchema, ...parentSchema },
  capabilities: { hotplug: true, coldplug: true },
  validate: requireParent,
  start: async (context) => {
    const link = await findParent(context);
    return { nic: insideNic('macvlan', context, { link }), volatile: {} };
  },
  stop: () => Promise.resolve({}),
  remove: () => Promise.resolve(),
};
