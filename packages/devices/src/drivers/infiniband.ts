import { join } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import type { DeviceContext, DeviceDriver } from '../driver.ts';
import { nicSchema, parentSchema, present, requireParent } from '../nic.ts';
import { startNodes, stopNodes, type HostNode } from '../node-device.ts';
import { takeInterface, giveInterfaceBack } from '../physical.ts';
import { entries, numbersAt } from '../sysfs.ts';
import { anyDevice } from '../checks.ts';

const hwaddrError = (value: string): string | undefined =>
  /^(([0-9a-f]{2}:){7}|([0-9a-f]{2}:){19})[0-9a-f]{2}$/i.test(value)
    ? undefined
    : 'Invalid value, must be either 8 or 20 bytes of hex separated by colons';

/** What programs talk to the card by, beside its interface. */
async function nodesOf({ sysDir }: DeviceContext, parent: string): Promise<HostNode[]> {
  const device = join(sysDir, 'class/net', parent, 'device');
  const found: HostNode[] = [];
  for (const group of ['infiniband_mad', 'infiniband_verbs', 'infiniband_cm']) {
    for (const name of await entries(join(device, group))) {
      const numbers = await numbersAt(join(device, group, name));
      if (numbers) found.push({ kind: 'c', ...numbers, path: `/dev/infiniband/${name}` });
    }
  }
  return found;
}

/** An InfiniBand interface of the host (or a function of one), handed over while the instance runs. */
export const infiniband: DeviceDriver = {
  type: 'infiniband',
  schema: {
    ...anyDevice('infiniband'),
    ...parentSchema,
    nictype: { check: () => undefined, description: 'physical or sriov' },
    name: nicSchema['name'] ?? { check: () => undefined, description: 'Name inside the instance' },
    mtu: nicSchema['mtu'] ?? { check: () => undefined, description: 'MTU' },
    hwaddr: { check: hwaddrError, description: 'Address: 20 bytes, or the last 8 of them' },
  },
  capabilities: { hotplug: true, coldplug: true },
  validate: requireParent,
  start: async (context, { signal }) => {
    const parent = context.config['parent'] ?? '';
    if (!(await present(join(context.sysDir, 'class/net', parent, 'device'))))
      throw new LxdError('invalid', `The parent "${parent}" of device "${context.name}" is not on this host`);
    const nodes = await nodesOf(context, parent);
    if (context.config['nictype'] === 'sriov')
      throw new LxdError('invalid', `All virtual functions on parent device "${parent}" are in use`);
    const taken = await takeInterface(context, parent);
    return { ...taken, mounts: await startNodes(context, nodes, signal) };
  },
  stop: async (context, options) => {
    await stopNodes(context);
    return giveInterfaceBack(context, options);
  },
  remove: () => Promise.resolve(),
};
