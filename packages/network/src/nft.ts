import { isFalse, isTrue, type Config } from '@lxd-ts/core';
import { applyRuleset, firewallTable, removeChains, type Host } from '@lxd-ts/host';
import { subnetText, type Cidr } from './subnet.ts';

const table = firewallTable;

/** Chain → its hook. Each network has its own four, named after it. */
const hooks = {
  pstrt: 'type nat hook postrouting priority srcnat',
  fwd: 'type filter hook forward priority filter',
  in: 'type filter hook input priority filter',
  out: 'type filter hook output priority filter',
} as const;

type Chain = keyof typeof hooks;

function masquerade(cidr: Cidr, natAddress: string | undefined): string {
  const family = cidr.family === 4 ? 'ip' : 'ip6';
  const subnet = subnetText(cidr);
  const target = natAddress ? `snat ${family} to ${natAddress}` : 'masquerade';
  return `${family} saddr ${subnet} ${family} daddr != ${subnet} ${target}`;
}

/** Every rule of one bridge. */
function rules(name: string, config: Config, addresses: readonly Cidr[]): Record<Chain, string[]> {
  const all: Record<Chain, string[]> = { pstrt: [], fwd: [], in: [], out: [] };
  for (const cidr of addresses) {
    const key = `ipv${cidr.family}`;
    if (isTrue(config[`${key}.nat`])) all.pstrt.push(masquerade(cidr, config[`${key}.nat.address`]));
    if (isFalse(config[`${key}.firewall`])) continue;
    const proto = `meta nfproto ipv${cidr.family}`;
    const verdict = isFalse(config[`${key}.routing`]) ? 'reject' : 'accept';
    all.fwd.push(`iifname "${name}" ${proto} ${verdict}`, `oifname "${name}" ${proto} ${verdict}`);
    const dhcp = cidr.family === 4 ? '67' : '547';
    all.in.push(
      `iifname "${name}" ${proto} tcp dport 53 accept`,
      `iifname "${name}" ${proto} udp dport { 53, ${dhcp} } accept`,
    );
    all.out.push(
      `oifname "${name}" ${proto} tcp sport 53 accept`,
      `oifname "${name}" ${proto} udp sport { 53, ${dhcp} } accept`,
    );
    if (cidr.family === 6) {
      const icmp =
        'icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report }';
      all.in.push(`iifname "${name}" ${icmp} accept`);
      all.out.push(
        `oifname "${name}" icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept`,
      );
    }
  }
  return all;
}

const names = Object.keys(hooks) as Chain[];

/** What one `nft -f` is given: the network's chains are replaced as one, others are not touched. */
export function ruleset(name: string, config: Config, addresses: readonly Cidr[]): string {
  const byChain = rules(name, config, addresses);
  return [
    `add table ${table}`,
    ...names.flatMap((chain) => [
      `add chain ${table} ${chain}.${name} { ${hooks[chain]}; policy accept; }`,
      `flush chain ${table} ${chain}.${name}`,
      ...byChain[chain].map((rule) => `add rule ${table} ${chain}.${name} ${rule}`),
    ]),
    '',
  ].join('\n');
}

/** Puts the network's rules in place of those it had. */
export const applyRules = (
  host: Host,
  name: string,
  config: Config,
  addresses: readonly Cidr[],
  signal: AbortSignal,
): Promise<void> => applyRuleset(host, ruleset(name, config, addresses), signal);

/** Removes the network's chains. */
export const removeRules = (host: Host, name: string, signal: AbortSignal): Promise<void> =>
  removeChains(
    host,
    names.map((chain) => `${chain}.${name}`),
    signal,
  );
