import { isIP } from 'node:net';
import { LxdError, type InstanceSpec } from '@lxd-ts/core';
import { applyRuleset, firewallTable, removeChains } from '@lxd-ts/host';
import { chainOf } from './chains.ts';
import type { DeviceContext } from './driver.ts';
import type { ProxyAddress } from './proxy-address.ts';

const hooks = {
  prert: 'type nat hook prerouting priority dstnat',
  natout: 'type nat hook output priority -100',
  natpost: 'type nat hook postrouting priority srcnat',
} as const;

type Chain = keyof typeof hooks;
const chains = Object.keys(hooks) as Chain[];

export const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::';

const bracketed = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host);

/**
 * Where packets are sent on to: one of the fixed addresses that the instance's NICs have, so that nobody else's
 * packets are touched. @throws LxdError `invalid`
 */
export function natTarget({ host }: ProxyAddress, { devices }: Pick<InstanceSpec, 'devices'>): string {
  const family = isIP(host);
  const own = Object.values(devices)
    .filter(({ type }) => type === 'nic')
    .flatMap((nic) => nic[`ipv${family}.address`] ?? [])
    .filter((address) => isIP(address) === family);
  const found = isWildcard(host) ? own[0] : own.find((address) => address === host);
  if (found !== undefined) return found;
  throw new LxdError(
    'invalid',
    isWildcard(host)
      ? `Instance has no static IPv${family} address assigned to be used as the connect IP`
      : `Connect IP "${host}" must be one of the instance's static IPv${family} addresses`,
  );
}

/** What one `nft -f` is given for it. */
export function natRuleset(
  context: Pick<DeviceContext, 'instance' | 'name'>,
  listen: ProxyAddress,
  connect: ProxyAddress,
): string {
  const target = natTarget(connect, context.instance);
  const ip = isIP(target) === 6 ? 'ip6' : 'ip';
  const lines = listen.ports.flatMap((port, index) => {
    const to = connect.ports[connect.ports.length === 1 ? 0 : index] ?? port;
    const dnat = `${ip} daddr ${listen.host} ${listen.type} dport ${port} dnat ${ip} to ${bracketed(target)}:${to}`;
    return [
      ['prert', dnat],
      ['natout', dnat],
      // From itself by way of the host: the answer must come back that way.
      ['natpost', `${ip} saddr ${target} ${ip} daddr ${target} ${connect.type} dport ${to} masquerade`],
    ] as [Chain, string][];
  });
  return [
    `add table ${firewallTable}`,
    ...chains.flatMap((chain) => {
      const name = chainOf(chain, context);
      return [
        `add chain ${firewallTable} ${name} { ${hooks[chain]}; policy accept; }`,
        `flush chain ${firewallTable} ${name}`,
      ];
    }),
    ...lines.map(([chain, rule]) => `add rule ${firewallTable} ${chainOf(chain, context)} ${rule}`),
    '',
  ].join('\n');
}

export const startNat = (
  context: DeviceContext,
  listen: ProxyAddress,
  connect: ProxyAddress,
  signal: AbortSignal,
): Promise<void> => applyRuleset(context.host, natRuleset(context, listen, connect), signal);

export const stopNat = (context: DeviceContext, signal: AbortSignal): Promise<void> =>
  removeChains(
    context.host,
    chains.map((chain) => chainOf(chain, context)),
    signal,
  );
