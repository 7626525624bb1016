import { isFalse, LxdError, validators, type Config } from '@lxd-ts/core';
import { addressError, addressesError, listOf } from '../addresses.ts';
import type { DeviceContext, DeviceDriver } from '../driver.ts';
import {
  findParent,
  hostNameOf,
  hostNameSchema,
  leaveParent,
  nicSchema,
  parentSchema,
  startVeth,
  stopVeth,
  vlanOf,
} from '../nic.ts';
import { changeRoutes, leaveVeth, settleVeth } from '../veth-host.ts';
import { limitsSchema, parentVlanSchema, routesSchema } from '../veth-options.ts';

const invalid = (message: string): LxdError => new LxdError('invalid', message);

const families = [
  { family: '4', bits: 32, gateway: '169.254.0.1' },
  { family: '6', bits: 128, gateway: 'fe80::1' },
] as const;

type Family = (typeof families)[number];

const addressesOf = (config: Config, { family }: Family): string[] => listOf(config[`ipv${family}.address`]);

const hostAddress = (config: Config, { family, gateway }: Family): string =>
  config[`ipv${family}.host_address`] || gateway;

const gatewayError = (value: string): string | undefined =>
  value === 'auto' || value === 'none' ? undefined : `Invalid gateway: ${value}`;

const familySchema = (family: 4 | 6) => ({
  [`ipv${family}.address`]: { check: addressesError(family), description: 'Addresses inside' },
  [`ipv${family}.gateway`]: {
    check: gatewayError,
    description: 'Whether it is the default route: auto or none',
    default: 'auto',
  },
  [`ipv${family}.host_address`]: {
    check: addressError(family),
    description: 'Address of the host side',
    default: family === 4 ? '169.254.0.1' : 'fe80::1',
  },
  [`ipv${family}.host_table`]: { check: validators.unsigned, description: 'Table of routes to use as well' },
  [`ipv${family}.neighbor_probe`]: {
    check: validators.bool,
    description: 'Whether it is asked first if somebody has the address',
    default: 'true',
  },
});

/** @throws LxdError `invalid` when the host would not pass packets on */
async function checkForwarding({ host, config }: DeviceContext, parent: string): Promise<void> {
  const wanted = [
    ...(config['ipv4.address'] ? [`net/ipv4/conf/${parent}/forwarding`] : []),
    ...(config['ipv6.address']
      ? [
          'net/ipv6/conf/all/forwarding',
          `net/ipv6/conf/${parent}/forwarding`,
          'net/ipv6/conf/all/proxy_ndp',
          `net/ipv6/conf/${parent}/proxy_ndp`,
        ]
      : []),
  ];
  for (const path of wanted) {
    if ((await host.readSysctl(path)) === '1') continue;
    throw invalid(`Routed mode requires sysctl ${path.replaceAll('/', '.')}=1`);
  }
}

/** @throws LxdError `invalid` when somebody on the parent's network answers for an address */
async function probe({ host, config }: DeviceContext, parent: string, signal: AbortSignal): Promise<void> {
  for (const one of families) {
    if (isFalse(config[`ipv${one.family}.neighbor_probe`])) continue;
    for (const address of addressesOf(config, one)) {
      const argv = ['ping', '-q', '-c', '1', '-W', '1', '-I', parent, address] as const;
      // Where there is no ping nobody is asked.
      const answer = await host.run(argv, { signal, allowFailure: true }).catch(() => undefined);
      if (answer?.status === 0) throw invalid(`IP address "${address}" in use on parent network "${parent}"`);
    }
  }
}

/** The host's part: its own address on the pair, the ways to the instance, and to answer for it on the parent. */
async function settleHost(context: DeviceContext, signal: AbortSignal): Promise<void> {
  const { config, host } = context;
  const dev = hostNameOf(context);
  const lines: string[] = [];
  for (const one of families) {
    const addresses = addressesOf(config, one);
    if (addresses.length === 0) continue;
    const { family, bits } = one;
    await host.writeSysctl(`net/ipv${family}/conf/${dev}/forwarding`, '1').catch(() => undefined);
    lines.push(
      `address replace ${hostAddress(config, one)}/${bits} dev ${dev}${family === '6' ? ' nodad' : ''}`,
    );
    const table = config[`ipv${family}.host_table`];
    for (const address of addresses) {
      const route = `-${family} route replace ${address}/${bits} dev ${dev} proto static`;
      lines.push(route, ...(table ? [`${route} table ${table}`] : []));
      if (config['parent']) lines.push(`-${family} neigh replace proxy ${address} dev ${vlanOf(config)}`);
    }
  }
  for (const line of lines) await host.run(['ip', ...line.split(' ')], { signal });
}

/** A pair that packets are routed to: the instance has addresses of the parent's network without being on it. */
export const nicRouted: DeviceDriver = {
  type: 'nic-routed',
  schema: {
    ...nicSchema,
    ...parentSchema,
    ...parentVlanSchema,
    ...hostNameSchema,
    ...limitsSchema,
    ...routesSchema,
    ...familySchema(4),
    ...familySchema(6),
  },
  capabilities: { hotplug: true, coldplug: true },
  validate: (config) => {
    if (config['vlan'] && !config['parent'])
      throw invalid('The vlan setting can only be used when combined with a parent interface');
    for (const one of families) {
      const key = `ipv${one.family}.address`;
      const addresses = addressesOf(config, one);
      const twice = addresses.find((address, index) => addresses.indexOf(address) !== index);
      if (twice) throw invalid(`Duplicate address "${twice}" in "${key}"`);
      if (config[`ipv${one.family}.routes`] && addresses.length === 0)
        throw invalid(`ipv${one.family}.routes requires ${key} to be set`);
    }
  },
  start: async (context, { signal }) => {
    const { config } = context;
    const parent = config['parent'] ? await findParent(context, signal) : undefined;
    if (parent) {
      await checkForwarding(context, parent.name);
      await probe(context, parent.name, signal);
    }
    const used = families.filter((one) => addressesOf(config, one).length > 0);
    const veth = await startVeth(context, {
      addresses: used.flatMap((one) => addressesOf(config, one).map((address) => `${address}/${one.bits}`)),
      gateways: used
        .filter(({ family }) => config[`ipv${family}.gateway`] !== 'none')
        .map((one) => hostAddress(config, one)),
    });
    return { ...veth, volatile: { ...veth.volatile, ...parent?.volatile } };
  },
  settle: async (context, _inside, { signal }) => {
    await settleVeth(context, undefined, signal);
    await settleHost(context, signal);
    await changeRoutes(context, { dev: hostNameOf(context), before: {}, after: context.config }, signal);
  },
  update: async (context, before, _inside, { signal }) => {
    await settleVeth(context, before, signal);
    await changeRoutes(context, { dev: hostNameOf(context), before, after: context.config }, signal);
  },
  stop: async (context, { signal }) => {
    const { config, host } = context;
    if (config['parent'])
      for (const one of families)
        for (const address of addressesOf(config, one)) {
          const argv = [
            'ip',
            `-${one.family}`,
            'neigh',
            'del',
            'proxy',
            address,
            'dev',
            vlanOf(config),
          ] as const;
          await host.run(argv, { signal, allowFailure: true });
        }
    await leaveVeth(context, signal);
    return { ...(await stopVeth(context, signal)), ...(await leaveParent(context, signal)) };
  },
  remove: () => Promise.resolve(),
};
