import { readFile } from 'node:fs/promises';
import { LxdError, type Config } from '@lxd-ts/core';
import type { DeviceContext, DeviceDriver } from '../driver.ts';
import { findParent, hwaddrOf, insideNic, nicSchema, parentSchema, present, requireParent } from '../nic.ts';

const read = async (parent: string, what: 'address' | 'mtu'): Promise<string> =>
  (await readFile(`/sys/class/net/${parent}/${what}`, 'utf8')).trim();

const before = ({ instance, name }: DeviceContext, what: 'hwaddr' | 'mtu'): string | undefined =>
  instance.config[`volatile.${name}.last_state.${what}`];

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
  start: async (context) => {
    const link = await findParent(context);
    const [hwaddr, mtu] = await Promise.all([read(link, 'address'), read(link, 'mtu')]);
    // Its own address unless told otherwise: one made up for the instance would outlast it on the wire.
    const keep = context.config['hwaddr'] ? undefined : hwaddr;
    const config = { ...context.config, hwaddr: keep ?? hwaddrOf(context) ?? hwaddr };
    return {
      nic: insideNic('phys', { ...context, config }, { link }),
      volatile: { 'last_state.hwaddr': hwaddr, 'last_state.mtu': mtu },
    };
  },
  // liblxc gives it back under its name; address and MTU are for us to put right.
  stop: async (context, { signal }) => {
    const parent = context.config['parent'] ?? '';
    if (await present(`/sys/class/net/${parent}`)) {
      const [hwaddr, mtu] = [before(context, 'hwaddr'), before(context, 'mtu')];
      const changes = [
        ...(hwaddr && hwaddr !== (await read(parent, 'address')) ? ['address', hwaddr] : []),
        ...(mtu && mtu !== (await read(parent, 'mtu')) ? ['mtu', mtu] : []),
      ];
      if (changes.length > 0) {
        await context.host.ip(
          [`link set dev ${parent} down`, `link set dev ${parent} ${changes.join(' ')}`],
          {
            signal,
          },
        );
      }
    }
    return { 'last_state.hwaddr': null, 'last_state.mtu': null };
  },
  remove: () => Promise.resolve(),
};
