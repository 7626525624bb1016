import { BlockList, isIP } from 'node:net';
import { isFalse, isTrue, LxdError, validators, type Config, type NetworkSpec } from '@lxd-ts/core';
import type { DeviceDriver } from '../driver.ts';
import {
  hostNameSchema,
  hwaddrOf,
  managedNetwork,
  nicSchema,
  parentSchema,
  present,
  requireParent,
  reservationKey,
  startVeth,
  stopVeth,
} from '../nic.ts';

const invalid = (message: string): LxdError => new LxdError('invalid', message);

/** It ends up in a line of the network's DHCP server. */
const address = (family: 4 | 6) => (value: string) =>
  isIP(value) === family ? undefined : `Not an IPv${family} address "${value}"`;

/** What DHCP is to give must be in its subnet, and not the bridge's own. */
function checkAddress(config: Config, family: 'ipv4' | 'ipv6', network: NetworkSpec): void {
  const key = `${family}.address`;
  const wanted = config[key];
  if (!wanted) return;
  const { name, config: settings } = network;
  const subnet = settings[key];
  if (!subnet || subnet === 'none' || isFalse(settings[`${family}.dhcp`])) {
    throw invalid(`Cannot specify "${key}" when DHCP is disabled on network "${name}"`);
  }
  if (family === 'ipv6' && !isTrue(settings['ipv6.dhcp.stateful'])) {
    throw invalid(`Cannot specify "${key}" when "ipv6.dhcp.stateful" is disabled on network "${name}"`);
  }
  const [own = '', prefix] = subnet.split('/');
  if (isIP(own) === 0) return; // `auto`: chosen when the network is made
  const within = new BlockList();
  within.addSubnet(own, Number(prefix), family);
  if (!within.check(wanted, family)) {
    throw invalid(`Device IP address "${wanted}" not within network "${name}" subnet`);
  }
  const gateway = new BlockList();
  gateway.addAddress(own, family);
  if (gateway.check(wanted, family)) {
    throw invalid(`IP address "${wanted}" is assigned to parent managed network device "${name}"`);
  }
}

/** A veth pair whose host side is a port of a bridge: a managed network's, or any of the host's. */
export const nicBridged: DeviceDriver = {
  type: 'nic-bridged',
  schema: {
    ...nicSchema,
    ...parentSchema,
    ...hostNameSchema,
    network: { check: validators.any, description: 'The managed network to join' },
    'ipv4.address': { check: address(4), description: 'Address that DHCP always gives' },
    'ipv6.address': { check: address(6), description: 'Address that DHCP always gives' },
  },
  capabilities: { hotplug: true, coldplug: true },
  validate: (config, { networks }) => {
    const found = managedNetwork(config, networks);
    if (config['network']) {
      // These are the network's to say.
      const twice = ['nictype', 'parent', 'mtu'].find((key) => config[key]);
      if (twice) throw invalid(`Cannot use "${twice}" property in conjunction with "network" property`);
      if (!found) {
        throw invalid(`Error loading network config for "${config['network']}": Network not found`);
      }
    } else requireParent(config);
    if (!found) return;
    checkAddress(config, 'ipv4', found);
    checkAddress(config, 'ipv6', found);
  },
  start: async (context, options) => {
    const { config, instance, name } = context;
    const network = managedNetwork(config, instance.networks);
    const bridge = network?.name ?? config['parent'] ?? '';
    if (!(await present(`/sys/class/net/${bridge}/bridge`))) {
      throw invalid(`The bridge "${bridge}" of device "${name}" is not on this host`);
    }
    const hwaddr = hwaddrOf(context);
    if (network && hwaddr) {
      const { 'ipv4.address': ipv4, 'ipv6.address': ipv6 } = config;
      const reservation = {
        hwaddr: hwaddr.toLowerCase(),
        hostname: instance.name,
        ...(ipv4 ? { ipv4 } : {}),
        ...(ipv6 ? { ipv6 } : {}),
      };
      await context.networks.reserve(network, reservationKey(context), reservation, options);
    }
    return startVeth(context, { link: bridge });
  },
  stop: (context, { signal }) => stopVeth(context, signal),
  remove: async (context, options) => {
    const network = managedNetwork(context.config, context.instance.networks);
    if (network) await context.networks.release(network, reservationKey(context), options);
  },
};
