import type { DeviceDriver } from '../driver.ts';
import { findParent, nicLines, nicSchema, parentSchema, requireParent } from '../nic.ts';

/** An interface of its own on a parent of the host, with a MAC address of its own. */
export const nicMacvlan: DeviceDriver = {
  type: 'nic-macvlan',
  schema: { ...nicSchema, ...parentSchema },
  capabilities: { hotplug: false, coldplug: true },
  validate: requireParent,
  start: async (context) => {
    const link = await findParent(context);
    return { lxc: nicLines('macvlan', context, { link, 'macvlan.mode': 'bridge' }), volatile: {} };
  },
  stop: () => Promise.resolve({}),
  remove: () => Promise.resolve(),
};
