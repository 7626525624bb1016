import { access } from 'node:fs/promises';
import { LxdError } from '@lxd-ts/core';
import { checks } from '../checks.ts';
import type { DeviceDriver } from '../driver.ts';
import { nicLines, nicSchema } from '../nic.ts';

/** An interface of its own on a parent of the host, with a MAC address of its own. */
export const nicMacvlan: DeviceDriver = {
  type: 'nic-macvlan',
  schema: {
    ...nicSchema,
    parent: { check: checks.interfaceName, required: true, description: 'The interface of the host' },
  },
  capabilities: { hotplug: false, coldplug: true },
  validate: () => undefined,
  start: async (context) => {
    const parent = context.config['parent'] ?? '';
    await access(`/sys/class/net/${parent}`).catch(() => {
      throw new LxdError('invalid', `The parent "${parent}" of device "${context.name}" is not on this host`);
    });
    return { lxc: nicLines('macvlan', context, { link: parent, 'macvlan.mode': 'bridge' }), volatile: {} };
  },
  stop: () => Promise.resolve({}),
  remove: () => Promise.resolve(),
};
