import { access } from 'node:fs/promises';
import { isIP } from 'node:net';
import { LxdError, validators } from '@lxd-ts/core';
import { checks } from '../checks.ts';
import type { DeviceDriver } from '../driver.ts';
import {
  hostNameSchema,
  hwaddrOf,
  networkOf,
  nicSchema,
  reservationKey,
  startVeth,
  stopVeth,
} from '../nic.ts';

/** It ends up in a line of the network's DHCP server. */
const address = (family: 4 | 6) => (value: string) =>
  isIP(value) === family ? undefined : `Not an IPv${family} address "${value}"`;

/** A veth pair whose host side is a port of a bridge: a managed network's, or any of the host's. */
export const nicBridged: DeviceDriver = {
  type: 'nic-bridged',
  schema: {
    ...nicSchema,
    ...hostNameSchema,
    network: { check: validators.any, description: 'The managed network to join' },
    parent: { check: checks.interfaceName, description: 'The bridge of the host to join' },
    'ipv4.address': { check: address(4), description: 'Address that DHCP always gives' },
    'ipv6.address': { check: address(6), description: 'Address that DHCP always gives' },
  },
  capabilities: { hotplug: false, coldplug: true },
  validate: (config, { networks }) => {
    const { network, parent } = config;
    if (!network && !parent)
      throw new LxdError('invalid', 'Invalid value for device option "parent": Required value');
    if (network && parent) throw new LxdError('invalid', '"network" and "parent" cannot be given together');
    if (network && !networks[network]) {
      throw new LxdError('invalid', `Error loading network config for "${network}": Network not found`);
    }
  },
  start: async (context, options) => {
    const network = networkOf(context);
    const bridge = network?.name ?? context.config['parent'] ?? '';
    await access(`/sys/class/net/${bridge}/bridge`).catch(() => {
      throw new LxdError('invalid', `The bridge "${bridge}" of device "${context.name}" is not on this host`);
    });
    const hwaddr = hwaddrOf(context);
    if (network && hwaddr) {
      const { 'ipv4.address': ipv4, 'ipv6.address': ipv6 } = context.config;
      const hostname = context.instance.name;
      const reservation = { hwaddr, hostname, ...(ipv4 ? { ipv4 } : {}), ...(ipv6 ? { ipv6 } : {}) };
      await context.networks.reserve(network, reservationKey(context), reservation, options);
    }
    return startVeth(context, bridge);
  },
  stop: (context, { signal }) => stopVeth(context, signal),
  remove: async (context, options) => {
    const network = networkOf(context);
    if (network) await context.networks.release(network, reservationKey(context), options);
  },
};
