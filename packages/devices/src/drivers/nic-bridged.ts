import { readFile } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import {
  isFalse,
  isOciConfig,
  isTrue,
  LxdError,
  validators,
  type Config,
  type NetworkSpec,
} from '@lxd-ts/core';
import { addressError, listOf, networksError } from '../addresses.ts';
import { checks } from '../checks.ts';
import type { DeviceContext, DeviceDriver, InsideNic } from '../driver.ts';
import { filterSchemaKeys, isFiltered, startFilter, stopFilter } from '../nic-filter.ts';
import { changeRoutes, leaveVeth, settleVeth } from '../veth-host.ts';
import { limitsSchema, routesSchema, vlanError } from '../veth-options.ts';
import {
  hostNameOf,
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
  value === 'none' ? undefined : addressError(family)(value);

/** What DHCP is to give must be in its subnet, and not the bridge's own. */
function checkAddress(config: Config, family: 'ipv4' | 'ipv6', network: NetworkSpec): void {
  const key = `${family}.address`;
  const wanted = config[key];
  if (!wanted || wanted === 'none') return;
  const { name, config: settings } = network;
  const subnet = settings[key];
  if (!subnet || subnet === 'none' || isFalse(settings[`${family}.dhcp`])) {
    throw invalid(`Cannot specify "${key}" when DHCP is disabled on network "${name}"`);
  }
  if (family === 'ipv6' && !isTrue(settings['ipv6.dhcp.stateful'])) {
    if (isTrue(config['security.ipv6_filtering'])) return;
    throw invalid(
      `Cannot specify "${key}" when DHCP or "ipv6.dhcp.stateful" are disabled (unless using security.ipv6_filtering) on network "${name}"`,
    );
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

const bridgeOf = ({ config, instance }: DeviceContext): string =>
  managedNetwork(config, instance.networks)?.name ?? config['parent'] ?? '';

function checkFilters(config: Config, network: NetworkSpec | undefined): void {
  for (const family of ['4', '6'] as const) {
    const filtered = isTrue(config[`security.ipv${family}_filtering`]);
    const wanted = config[`ipv${family}.address`];
    if (wanted === 'none' && !filtered)
      throw invalid(`Cannot have ipv${family}.address as none unless using security.ipv${family}_filtering`);
    if (!filtered || wanted) continue;
    throw invalid(
      network
        ? `IPv${family} filtering requires a manually specified ipv${family}.address`
        : `IPv${family} filtering requires a manually specified ipv${family}.address when using an unmanaged parent bridge`,
    );
  }
}

/** VLANs one by one. @throws LxdError `invalid` */
function tagged(config: Config): number[] {
  return listOf(config['vlan.tagged']).flatMap((item) => {
    const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(item) ?? [];
    if (first === '') throw invalid(`Invalid VLAN range input: ${item}`);
    const [from, to] = [Number(first), Number(last)];
    if (to > 4094 || to < from) throw invalid(`Invalid VLAN range input: ${item}`);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

/**
 * What the network's DHCP server is to give it; one that has nobody to ask there (an image of an OCI registry) gets it at
 * once.
 */
async function reserve(
  context: DeviceContext,
  network: NetworkSpec,
  signal: AbortSignal,
): Promise<Pick<InsideNic, 'addresses' | 'gateways'>> {
  const hwaddr = hwaddrOf(context);
  if (!hwaddr) return {};
  const { 'ipv4.address': ipv4, 'ipv6.address': ipv6 } = context.config;
  const reservation = {
    hwaddr: hwaddr.toLowerCase(),
    hostname: context.instance.name,
    ...(ipv4 && ipv4 !== 'none' ? { ipv4 } : {}),
    ...(ipv6 && ipv6 !== 'none' ? { ipv6 } : {}),
  };
  const { networks, instance } = context;
  const key = reservationKey(context);
  if (!isOciConfig(instance.config) || ipv4 === 'none') {
    await networks.reserve(network, key, reservation, { signal });
    return {};
  }
  const assigned = await networks.assign(network, key, reservation, { signal });
  if (!assigned) return {};
  return { addresses: [assigned.address], ...(leadsOut(context) ? { gateways: [assigned.gateway] } : {}) };
}

/** There is one way out of an instance: by the first of its NICs that is given an address. */
function leadsOut({ instance, name }: DeviceContext): boolean {
  const { devices, networks } = instance;
  const [first] = Object.keys(devices)
    .filter((device) => devices[device]?.['type'] === 'nic')
    .filter((device) => {
      const { 'ipv4.address': subnet = '', 'ipv4.dhcp': dhcp } =
        managedNetwork(devices[device] ?? {}, networks)?.config ?? {};
      return subnet !== '' && subnet !== 'none' && !isFalse(dhcp);
    })
    .sort();
  return first === name;
}

/** Isolation and VLANs of the port. */
async function settlePort(context: DeviceContext, signal: AbortSignal): Promise<void> {
  const { config, host } = context;
  const dev = hostNameOf(context);
  if (isTrue(config['security.port_isolation']))
    await host.run(['bridge', 'link', 'set', 'dev', dev, 'isolated', 'on'], { signal });
  const { vlan } = config;
  const tags = tagged(config);
  if (!vlan && tags.length === 0) return;
  const filtering = await readFile(`/sys/class/net/${bridgeOf(context)}/bridge/vlan_filtering`, 'utf8').catch(
    () => '0',
  );
  if (filtering.trim() !== '1')
    throw invalid(`VLAN filtering is not enabled in parent bridge "${bridgeOf(context)}"`);
  if (vlan) await host.run(['bridge', 'vlan', 'del', 'dev', dev, 'vid', '1'], { signal, allowFailure: true });
  if (vlan && vlan !== 'none')
    await host.run(['bridge', 'vlan', 'add', 'dev', dev, 'vid', vlan, 'pvid', 'untagged'], { signal });
  for (const tag of tags)
    await host.run(['bridge', 'vlan', 'add', 'dev', dev, 'vid', String(tag)], { signal });
}

/** A veth pair whose host side is a port of a bridge: a managed network's, or any of the host's. */
export const nicBridged: DeviceDriver = {
  type: 'nic-bridged',
  schema: {
    ...nicSchema,
    ...parentSchema,
    ...hostNameSchema,
    network: { check: validators.any, description: 'The managed network to join' },
    ...limitsSchema,
    ...routesSchema,
    'ipv4.address': { check: address(4), description: 'Address that DHCP always gives', live: true },
    'ipv6.address': { check: address(6), description: 'Address that DHCP always gives', live: true },
    'ipv4.routes.external': { check: networksError(4), description: 'Like ipv4.routes', live: true },
    'ipv6.routes.external': { check: networksError(6), description: 'Like ipv6.routes', live: true },
    ...Object.fromEntries(
      filterSchemaKeys.map((key) => [
        key,
        {
          check: validators.bool,
          description: 'Whether it may speak as itself only',
          default: 'false',
          live: true,
        },
      ]),
    ),
    'security.port_isolation': {
      check: validators.bool,
      description: 'Whether isolated neighbours are kept from it',
      default: 'false',
    },
    vlan: {
      check: (value) => (value === 'none' ? undefined : vlanError(value)),
      description: 'VLAN of what has no tag; none: it has none',
    },
    'vlan.tagged': { check: checks.line, description: 'VLANs that it may tag: `5,10-12`' },
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
    checkFilters(config, found);
    tagged(config);
    if (!found) return;
    checkAddress(config, 'ipv4', found);
    checkAddress(config, 'ipv6', found);
  },
  start: async (context, options) => {
    const { config, instance, name } = context;
    const network = managedNetwork(config, instance.networks);
    const bridge = bridgeOf(context);
    if (!(await present(`/sys/class/net/${bridge}/bridge`))) {
      throw invalid(`The bridge "${bridge}" of device "${name}" is not on this host`);
    }
    const given = network ? await reserve(context, network, options.signal) : {};
    const veth = await startVeth(context, { link: bridge, ...given });
    // Before there is an interface of that name: not one packet goes by.
    if (isFiltered(config))
      await startFilter(context, veth.nic?.hostName ?? '', hwaddrOf(context), options.signal);
    return veth;
  },
  settle: async (context, _inside, { signal }) => {
    await settleVeth(context, undefined, signal);
    await changeRoutes(context, { dev: bridgeOf(context), before: {}, after: context.config }, signal);
    await settlePort(context, signal);
  },
  update: async (context, before, _inside, { signal }) => {
    await settleVeth(context, before, signal);
    await changeRoutes(context, { dev: bridgeOf(context), before, after: context.config }, signal);
    const network = managedNetwork(context.config, context.instance.networks);
    if (network) await reserve(context, network, signal);
    if (isFiltered(context.config))
      await startFilter(context, hostNameOf(context), hwaddrOf(context), signal);
    else if (isFiltered(before)) await stopFilter(context, signal);
  },
  stop: async (context, { signal }) => {
    await changeRoutes(context, { dev: bridgeOf(context), before: context.config, after: {} }, signal);
    await leaveVeth(context, signal);
    const volatile = await stopVeth(context, signal);
    if (isFiltered(context.config)) await stopFilter(context, signal);
    return volatile;
  },
  remove: async (context, options) => {
    const network = managedNetwork(context.config, context.instance.networks);
    if (network) await context.networks.release(network, reservationKey(context), options);
  },
};
