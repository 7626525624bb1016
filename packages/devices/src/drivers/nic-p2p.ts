import type { DeviceDriver } from '../driver.ts';
import { hostNameOf, hostNameSchema, nicSchema, startVeth, stopVeth } from '../nic.ts';
import { changeRoutes, leaveVeth, settleVeth } from '../veth-host.ts';
import { limitsSchema, routesSchema } from '../veth-options.ts';

/** A veth pair whose host side is left to the host. */
export const nicP2p: DeviceDriver = {
  type: 'nic-p2p',
  schema: { ...nicSchema, ...hostNameSchema, ...limitsSchema, ...routesSchema },
  capabilities: { hotplug: true, coldplug: true },
  validate: () => undefined,
  start: (context) => startVeth(context, {}),
  settle: async (context, _inside, { signal }) => {
    await settleVeth(context, undefined, signal);
    await changeRoutes(context, { dev: hostNameOf(context), before: {}, after: context.config }, signal);
  },
  update: async (context, before, _inside, { signal }) => {
    await settleVeth(context, before, signal);
    await changeRoutes(context, { dev: hostNameOf(context), before, after: context.config }, signal);
  },
  stop: async (context, { signal }) => {
    await leaveVeth(context, signal);
    return stopVeth(context, signal);
  },
  remove: () => Promise.resolve(),
};
