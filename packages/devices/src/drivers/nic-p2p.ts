import type { DeviceDriver } from '../driver.ts';
import { hostNameSchema, nicSchema, startVeth, stopVeth } from '../nic.ts';

/** A veth pair whose host side is left to the host. */
export const nicP2p: DeviceDriver = {
  type: 'nic-p2p',
  schema: { ...nicSchema, ...hostNameSchema },
  capabilities: { hotplug: true, coldplug: true },
  validate: () => undefined,
  start: (context) => startVeth(context, {}),
  stop: (context, { signal }) => stopVeth(context, signal),
  remove: () => Promise.resolve(),
};
