import { access } from 'node:fs/promises';
import {
  isTrue,
  LxdError,
  projectPrefixed,
  type Config,
  type ConfigSchema,
  type NetworkSpec,
} from '@lxd-ts/core';
import { validators } from '@lxd-ts/core';
import { anyDevice, checks } from './checks.ts';
import type { DeviceContext, DeviceStart, InsideNic } from './driver.ts';

/** Options of every NIC. */
export const nicSchema: ConfigSchema = {
  ...anyDevice('nic'),
  nictype: { check: validators.any, description: 'Kind of NIC' },
  name: {
    check: checks.interfaceName,
    description: 'Name inside the instance',
    default: 'chosen by the kernel',
  },
  hwaddr: { check: checks.hwaddr, description: 'MAC address', default: 'chosen once' },
  mtu: { check: checks.mtu, description: 'MTU', default: "the parent's" },
  'boot.priority': { check: validators.unsigned, description: 'Order of booting (virtual machines only)' },
};

export const hostNameSchema: ConfigSchema = {
  host_name: {
    check: checks.interfaceName,
    description: 'Name of the host side',
    default: 'chosen at random',
  },
};

export const parentSchema: ConfigSchema = {
  parent: { check: checks.interfaceName, description: 'The interface of the host' },
};

/** @throws LxdError `invalid` */
export function requireParent({ parent }: Config): void {
  if (!parent) throw new LxdError('invalid', 'Invalid value for device option "parent": Required value');
}

export const present = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** The parent, or the VLAN of it. */
export const vlanOf = ({ parent = '', vlan }: Config): string => (vlan ? `${parent}.${vlan}` : parent);

/** What the NIC is made on: the parent, or a VLAN of it. */
export interface Parent {
  name: string;
  /** It was made for this NIC, and goes with it. */
  volatile: Record<string, string | null>;
}

/** @throws LxdError `invalid` when the host has no such interface now */
export async function findParent(
  { config, name, host }: DeviceContext,
  signal: AbortSignal,
): Promise<Parent> {
  const { parent = '', vlan, gvrp } = config;
  if (!(await present(`/sys/class/net/${parent}`)))
    throw new LxdError('invalid', `The parent "${parent}" of device "${name}" is not on this host`);
  const own = vlanOf(config);
  if (!vlan || (await present(`/sys/class/net/${own}`))) return { name: own, volatile: {} };
  await host.ip(
    [`link add link ${parent} name ${own} up type vlan id ${vlan}${isTrue(gvrp) ? ' gvrp on' : ''}`],
    { signal },
  );
  return { name: own, volatile: { 'last_state.created': 'true' } };
}

/** A VLAN that was made for the NIC goes with it. */
export async function leaveParent(
  { config, instance, name, host }: DeviceContext,
  signal: AbortSignal,
): Promise<Record<string, null>> {
  if (!config['vlan']) return {};
  const own = vlanOf(config);
  const made = isTrue(instance.config[`volatile.${name}.last_state.created`]);
  if (made && (await present(`/sys/class/net/${own}`)))
    await host.run(['ip', 'link', 'delete', 'dev', own], { signal, allowFailure: true });
  return { 'last_state.created': null };
}

export const hwaddrOf = ({ config, instance, name }: DeviceContext): string | undefined =>
  config['hwaddr'] || instance.config[`volatile.${name}.hwaddr`];

/** The host side of a pair, once it has been started. */
export const hostNameOf = ({ config, instance, name }: DeviceContext): string =>
  instance.config[`volatile.${name}.host_name`] || config['host_name'] || '';

/** Names one NIC among all of its network: `c1.eth0`. */
export const reservationKey = ({ instance, name }: DeviceContext): string =>
  `${projectPrefixed(instance.project, instance.name)}.${name}`;

/** The managed network a NIC joins: named as such, or as the bridge that it is. */
export function managedNetwork(
  { network, parent }: Config,
  networks: Readonly<Record<string, NetworkSpec>>,
): NetworkSpec | undefined {
  const name = network || parent;
  return name && Object.hasOwn(networks, name) ? networks[name] : undefined;
}

/** The NIC as it is inside. */
export function insideNic(
  type: InsideNic['type'],
  context: DeviceContext,
  more: Partial<InsideNic>,
): InsideNic {
  const { config, instance, name } = context;
  const hwaddr = hwaddrOf(context);
  return {
    type,
    name: config['name'] || instance.config[`volatile.${name}.name`] || name,
    ...(hwaddr ? { hwaddr } : {}),
    ...(config['mtu'] ? { mtu: config['mtu'] } : {}),
    ...more,
  };
}

/** A veth pair; its host side gets a name that nothing else has. */
export async function startVeth(context: DeviceContext, more: Partial<InsideNic>): Promise<DeviceStart> {
  const hostName = context.config['host_name'] || `veth${context.randomId()}`;
  return Promise.resolve({
    nic: insideNic('veth', context, { ...more, hostName }),
    volatile: { host_name: hostName },
  });
}

/** liblxc takes the pair away with the container; after a crash of its monitor this does. */
export async function stopVeth(context: DeviceContext, signal: AbortSignal): Promise<Record<string, null>> {
  const hostName = context.instance.config[`volatile.${context.name}.host_name`];
  if (hostName && (await present(`/sys/class/net/${hostName}`))) {
    await context.host.run(['ip', 'link', 'delete', 'dev', hostName], { signal, allowFailure: true });
  }
  return { host_name: null };
}
