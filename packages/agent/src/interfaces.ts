import { access, readFile, readdir } from 'node:fs/promises';
import { LxdError } from '@lxd-ts/core';
import type { Liblxc, NetworkInterface } from '@lxd-ts/liblxc';
import type { HostInterface, NetworkAddress, NetworkCounters, NetworkState } from '@lxd-ts/rpc';

const noCounters: NetworkCounters = { bytesReceived: 0, bytesSent: 0, packetsReceived: 0, packetsSent: 0 };

/** /proc/PID/net/dev: name → what it has carried. */
export function parseCounters(text: string): Map<string, NetworkCounters> {
  const lines = text.split('\n').slice(2);
  return new Map(
    lines.flatMap((line) => {
      const [name, figures = ''] = line.split(/:(.*)/s);
      if (!name || !figures) return [];
      const numbers = figures.trim().split(/\s+/).map(Number);
      const [bytesReceived = 0, packetsReceived = 0] = numbers;
      const [bytesSent = 0, packetsSent = 0] = numbers.slice(8);
      return [[name.trim(), { bytesReceived, bytesSent, packetsReceived, packetsSent }] as const];
    }),
  );
}

function scopeOf({ address }: { address: string }): NetworkAddress['scope'] {
  if (address.startsWith('127.') || address === '::1') return 'local';
  return address.startsWith('fe80:') || address.startsWith('169.254.') ? 'link' : 'global';
}

function stateOf(link: NetworkInterface, counters: Map<string, NetworkCounters>): NetworkState {
  return {
    addresses: link.addresses.map(({ family, address, prefix }) => ({
      family,
      address,
      netmask: String(prefix),
      scope: scopeOf({ address }),
    })),
    counters: counters.get(link.name) ?? noCounters,
    hwaddr: link.hwaddr,
    mtu: link.mtu,
    state: link.up ? 'up' : 'down',
    type: link.kind,
  };
}

const countersOf = async (pid: number | 'self'): Promise<Map<string, NetworkCounters>> =>
  parseCounters(await readFile(`/proc/${pid}/net/dev`, 'utf8').catch(() => ''));

/** Of the namespace that `pid` is in, by name. */
export async function interfacesOf(liblxc: Liblxc, pid: number): Promise<Record<string, NetworkState>> {
  const [links, counters] = await Promise.all([liblxc.interfaces(pid), countersOf(pid)]);
  return Object.fromEntries(links.map((link) => [link.name, stateOf(link, counters)]));
}

/** @throws LxdError `not-found` */
export async function interfaceState(liblxc: Liblxc, name: string): Promise<NetworkState> {
  const [links, counters] = await Promise.all([liblxc.interfaces(undefined), countersOf('self')]);
  const link = links.find((candidate) => candidate.name === name);
  if (!link) throw new LxdError('not-found', 'Network not found');
  return stateOf(link, counters);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function typeOf(name: string): Promise<HostInterface['type']> {
  const path = `/sys/class/net/${name}`;
  if (name === 'lo') return 'loopback';
  if (await exists(`${path}/bridge`)) return 'bridge';
  if (await exists(`${path}/bonding`)) return 'bond';
  if (await exists(`/proc/net/vlan/${name}`)) return 'vlan';
  return (await exists(`${path}/device`)) ? 'physical' : 'unknown';
}

/** Every interface of the host's namespace but the host sides of containers' own. */
export async function hostInterfaces(): Promise<HostInterface[]> {
  const names = await readdir('/sys/class/net');
  const own = names.filter((name) => !name.startsWith('veth'));
  return Promise.all(own.sort().map(async (name) => ({ name, type: await typeOf(name) })));
}
