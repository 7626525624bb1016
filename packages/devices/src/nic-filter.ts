import { isTrue, LxdError, type Config } from '@lxd-ts/core';
import { applyRuleset, removeChains } from '@lxd-ts/host';
import { chainOf } from './chains.ts';
import type { DeviceContext } from './driver.ts';

const table = 'bridge lxd-ts';

export const filterSchemaKeys = [
  'security.mac_filtering',
  'security.ipv4_filtering',
  'security.ipv6_filtering',
] as const;

export const isFiltered = (config: Config): boolean => filterSchemaKeys.some((key) => isTrue(config[key]));

/** The address that an interface gives itself by its MAC address. */
export function linkLocal(hwaddr: string): string {
  const bytes = hwaddr.split(':').map((byte) => parseInt(byte, 16));
  const [first = 0, ...rest] = bytes;
  const all = [first ^ 2, ...rest.slice(0, 2), 0xff, 0xfe, ...rest.slice(2)];
  const groups = [0, 2, 4, 6].map((at) => (((all[at] ?? 0) << 8) | (all[at + 1] ?? 0)).toString(16));
  return `fe80::${groups.join(':')}`;
}

function ipv4Rules(port: string, address: string | undefined): string[] {
  if (!address || address === 'none') return [`${port} ether type { arp, ip } drop`];
  return [
    `${port} ether type arp arp saddr ip != ${address} drop`,
    // To get its address it has to ask for one.
    `${port} ether type ip ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp dport 67 accept`,
    `${port} ether type ip ip saddr != ${address} drop`,
  ];
}

/** All 128 bits of an IPv6 address, as a number in hexadecimal. */
function bits(address: string): string {
  const [head = '', tail] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const middle = Array<string>(8 - left.length - right.length).fill('0');
  return `0x${[...left, ...middle, ...right].map((group) => group.padStart(4, '0')).join('')}`;
}

/** Where an advertisement says whose neighbour it is; nft has a name for it only from 1.0.7 on. */
const advertised = '@nh,384,128';

function ipv6Rules(port: string, hwaddr: string, address: string | undefined): string[] {
  if (!address || address === 'none') return [`${port} ether type ip6 drop`];
  const addresses = [address, linkLocal(hwaddr)];
  const others = addresses.map((one) => `${advertised} != ${bits(one)}`).join(' ');
  return [
    `${port} ether type ip6 icmpv6 type nd-router-advert drop`,
    `${port} ether type ip6 ip6 saddr :: icmpv6 type { nd-neighbor-solicit, mld2-listener-report } accept`,
    `${port} ether type ip6 ip6 saddr != { ${addresses.join(', ')} } drop`,
    `${port} ether type ip6 icmpv6 type nd-neighbor-advert ${others} drop`,
  ];
}

/**
 * What keeps a NIC from speaking as another: dropped where it enters the bridge, whoever it is for. One chain for what is
 * for the host, one for what is for neighbours.
 */
export function filterRuleset(
  context: Pick<DeviceContext, 'instance' | 'name' | 'config'>,
  hostName: string,
  hwaddr: string,
): string {
  const { config } = context;
  const port = `iifname "${hostName}"`;
  const rules = [
    `${port} ether saddr != ${hwaddr} drop`,
    `${port} ether type arp arp saddr ether != ${hwaddr} drop`,
    ...(isTrue(config['security.ipv4_filtering']) ? ipv4Rules(port, config['ipv4.address']) : []),
    ...(isTrue(config['security.ipv6_filtering']) ? ipv6Rules(port, hwaddr, config['ipv6.address']) : []),
  ];
  const lines = (['in', 'fwd'] as const).flatMap((kind) => {
    const chain = chainOf(kind, context);
    const hook = kind === 'in' ? 'input' : 'forward';
    return [
      `add chain ${table} ${chain} { type filter hook ${hook} priority filter; policy accept; }`,
      `flush chain ${table} ${chain}`,
      ...rules.map((rule) => `add rule ${table} ${chain} ${rule}`),
    ];
  });
  return [`add table ${table}`, ...lines, ''].join('\n');
}

export async function startFilter(
  context: DeviceContext,
  hostName: string,
  hwaddr: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (!hwaddr) throw new LxdError('invalid', `Device "${context.name}" has no MAC address to filter by`);
  await applyRuleset(context.host, filterRuleset(context, hostName, hwaddr), signal);
}

export const stopFilter = (context: DeviceContext, signal: AbortSignal): Promise<void> =>
  removeChains(
    context.host,
    ['in', 'fwd'].map((kind) => chainOf(kind, context)),
    signal,
    'bridge',
  );
