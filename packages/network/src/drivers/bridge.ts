import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isFalse, LxdError, type Config, type NetworkSpec } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import { Dnsmasq } from '../dnsmasq.ts';
import type { ManagedNetwork, NetworkContext, NetworkDriver, WaitOptions } from '../driver.ts';
import { applyRules, removeRules } from '../nft.ts';
import { bridgeSchema } from '../schema.ts';
import { freeV4, freeV6, parseCidr, stableHwaddr, type Cidr } from '../subnet.ts';

interface AddressInfo {
  ifname?: string;
  addr_info?: { local?: string; prefixlen?: number; scope?: string }[];
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Everything this host has an address in or a route to. */
async function usedSubnets(host: Host, signal: AbortSignal): Promise<Cidr[]> {
  const links = (await host.ipJson(['address', 'show'], { signal })) as AddressInfo[];
  const own = links.flatMap(({ addr_info = [] }) =>
    addr_info.map((a) => `${a.local ?? ''}/${a.prefixlen ?? ''}`),
  );
  // Of all tables: a VPN may well keep its routes in one of its own.
  const routes = await Promise.all(
    (['-4', '-6'] as const).map(async (family) => {
      const found = await host.ipJson([family, 'route', 'show', 'table', 'all'], { signal });
      const whole = family === '-4' ? 32 : 128;
      return (found as { dst?: string }[]).map(({ dst = '' }) =>
        dst.includes('/') ? dst : `${dst}/${whole}`,
      );
    }),
  );
  return [...own, ...routes.flat()]
    .map(parseCidr)
    .filter((cidr) => cidr !== undefined)
    .filter(({ prefix }) => prefix > 0);
}

const addressesOf = (config: Config): Cidr[] =>
  [config['ipv4.address'], config['ipv6.address']]
    .map((text) => parseCidr(text ?? ''))
    .filter((cidr) => cidr !== undefined);

const listed = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

const ports = (config: Config): string[] => listed(config['bridge.external_interfaces']);
const routes = (config: Config): string[] => [
  ...listed(config['ipv4.routes']),
  ...listed(config['ipv6.routes']),
];

class Bridge implements ManagedNetwork {
  readonly #network: NetworkSpec;
  readonly #context: NetworkContext;
  readonly #dnsmasq: Dnsmasq;

  constructor(network: NetworkSpec, context: NetworkContext) {
    this.#network = network;
    this.#context = context;
    this.#dnsmasq = new Dnsmasq(network, context);
  }

  async complete({ signal }: WaitOptions): Promise<Config> {
    const { name, config } = this.#network;
    const ours = await exists(join(this.#context.dir, 'networks', name));
    // One of the host's must not become ours, to be deleted with the network.
    if (!ours && (await exists(`/sys/class/net/${name}`))) {
      throw new LxdError(
        'conflict',
        `The host has a network interface "${name}" already; choose another name`,
      );
    }
    const filled: Record<string, string> = { ...config };
    const auto = (key: string) => [undefined, '', 'auto'].includes(filled[key]);
    if (auto('ipv4.address') || auto('ipv6.address')) {
      const used = await usedSubnets(this.#context.host, signal);
      const seed = `${this.#context.dir}/${name}`;
      for (const [family, find] of [
        ['ipv4', freeV4],
        ['ipv6', freeV6],
      ] as const) {
        if (!auto(`${family}.address`)) continue;
        const found = find(seed, used);
        if (!found)
          throw new LxdError(
            'internal',
            `No free ${family} subnet was found; give "${family}.address" yourself`,
          );
        filled[`${family}.address`] = found;
        filled[`${family}.nat`] ??= 'true';
      }
    }
    return filled;
  }

  async start(options: WaitOptions): Promise<void> {
    const { signal } = options;
    const { name, config } = this.#network;
    const { host, dir } = this.#context;
    const addresses = addressesOf(config);
    const present = await exists(`/sys/class/net/${name}`);
    if (present && !(await exists(`/sys/class/net/${name}/bridge`))) {
      throw new LxdError(
        'conflict',
        `The host has an interface "${name}" that is not a bridge; choose another name`,
      );
    }
    // A server still bound to a bridge that is gone would not hear those who join the new one.
    if (!present) {
      await this.#dnsmasq.stop();
      await host.ip([`link add name ${name} type bridge`], { signal });
    }
    await this.#settings(addresses);
    const hwaddr = config['bridge.hwaddr'] || stableHwaddr(`${dir}/${name}`);
    const stale = present ? await this.#staleAddresses(addresses, signal) : [];
    await host.ip(
      [
        `link set dev ${name} address ${hwaddr} mtu ${config['bridge.mtu'] || '1500'} up`,
        ...stale.map((address) => `address del ${address} dev ${name}`),
        ...addresses.map(
          ({ address, prefix, family }) =>
            `address replace ${address}/${prefix} dev ${name}${family === 6 ? ' nodad' : ''}`,
        ),
        ...(await this.#newPorts(signal)).map((port) => `link set dev ${port} master ${name}`),
        ...routes(config).map((subnet) => `route replace ${subnet} dev ${name} proto static`),
      ],
      { signal },
    );
    await this.#forward(addresses);
    await applyRules(host, name, config, addresses, signal);
    await this.#dnsmasq.start(addresses, signal);
  }

  async #staleAddresses(wanted: readonly Cidr[], signal: AbortSignal): Promise<string[]> {
    const args = ['address', 'show', 'dev', this.#network.name];
    const [link] = (await this.#context.host.ipJson(args, { signal })) as AddressInfo[];
    return (link?.addr_info ?? [])
      .filter(({ scope }) => scope === 'global')
      .map(({ local = '', prefixlen = 0 }) => `${local}/${prefixlen}`)
      .filter((text) => {
        // The same address can be written in more than one way.
        const is = parseCidr(text);
        return !wanted.some(({ value, prefix }) => value === is?.value && prefix === is.prefix);
      });
  }

  /** The host's interfaces that are to become ports; one that is not there now may come later. */
  async #newPorts(signal: AbortSignal): Promise<string[]> {
    const { name, config } = this.#network;
    const found: string[] = [];
    for (const port of ports(config)) {
      if (!(await exists(`/sys/class/net/${port}`))) continue;
      if (await exists(`/sys/class/net/${name}/brif/${port}`)) continue;
      const [link] = (await this.#context.host.ipJson(['address', 'show', 'dev', port], {
        signal,
      })) as AddressInfo[];
      // As a port it would not answer under its addresses any more, and the host might be out of reach.
      if (link?.addr_info?.some(({ scope }) => scope === 'global')) {
        throw new LxdError(
          'invalid',
          `Only unconfigured network interfaces can be bridged, and "${port}" has addresses`,
        );
      }
      found.push(port);
    }
    return found;
  }

  async #set(path: string, value: string): Promise<void> {
    const { host } = this.#context;
    const now = await host.readSysctl(path);
    if (now !== undefined && now !== value) await host.writeSysctl(path, value);
  }

  /** The bridge has the addresses it is given, at once, and no others. */
  async #settings(addresses: readonly Cidr[]): Promise<void> {
    const own = `net/ipv6/conf/${this.#network.name}`;
    const v6 = addresses.some(({ family }) => family === 6);
    await this.#set(`${own}/disable_ipv6`, v6 ? '0' : '1');
    if (!v6) return;
    await this.#set(`${own}/autoconf`, '0');
    await this.#set(`${own}/accept_dad`, '0');
  }

  async #forward(addresses: readonly Cidr[]): Promise<void> {
    const { config } = this.#network;
    const routed = addresses.filter(({ family }) => !isFalse(config[`ipv${family}.routing`]));
    if (routed.some(({ family }) => family === 4)) await this.#set('net/ipv4/ip_forward', '1');
    if (routed.some(({ family }) => family === 6)) {
      // A host that forwards listens to its own routers no more, unless told to.
      for (const link of await readdir('/sys/class/net')) {
        const path = `net/ipv6/conf/${link}/accept_ra`;
        if ((await this.#context.host.readSysctl(path)) === '1') await this.#set(path, '2');
      }
      await this.#set('net/ipv6/conf/all/forwarding', '1');
    }
  }

  async stop({ signal }: WaitOptions): Promise<void> {
    const { name } = this.#network;
    await this.#dnsmasq.stop();
    await removeRules(this.#context.host, name, signal);
    if (await exists(`/sys/class/net/${name}/bridge`)) {
      await this.#context.host.ip([`link del dev ${name}`], { signal });
    }
  }

  async update(after: Config, options: WaitOptions): Promise<void> {
    const { name, config } = this.#network;
    const gone = [
      ...ports(config)
        .filter((port) => !ports(after).includes(port))
        .map((port) => ['link', 'set', 'dev', port, 'nomaster']),
      ...routes(config)
        .filter((subnet) => !routes(after).includes(subnet))
        .map((subnet) => ['route', 'delete', subnet, 'dev', name]),
    ];
    // Gone already is as good.
    for (const args of gone) {
      await this.#context.host.run(['ip', ...args], { ...options, allowFailure: true });
    }
    await new Bridge({ ...this.#network, config: after }, this.#context).start(options);
  }

  async delete(options: WaitOptions): Promise<void> {
    await this.stop(options);
    await this.#dnsmasq.delete();
  }

  async healthy(): Promise<boolean> {
    const { name, config } = this.#network;
    if (!(await exists(`/sys/class/net/${name}/bridge`))) return false;
    return addressesOf(config).length === 0 || this.#dnsmasq.running();
  }

  leases(): ReturnType<ManagedNetwork['leases']> {
    return this.#dnsmasq.leases(addressesOf(this.#network.config));
  }

  reserve(...[key, reservation]: Parameters<ManagedNetwork['reserve']>): Promise<void> {
    return this.#dnsmasq.reserve(key, reservation);
  }

  assign(...[key, reservation]: Parameters<ManagedNetwork['assign']>): ReturnType<ManagedNetwork['assign']> {
    return this.#dnsmasq.assign(key, reservation, addressesOf(this.#network.config));
  }

  release(key: string): Promise<void> {
    return this.#dnsmasq.release(key, addressesOf(this.#network.config));
  }
}

/** A bridge of the kernel with DHCP and DNS by dnsmasq, and NAT by nftables. */
export const bridge: NetworkDriver = {
  type: 'bridge',
  schema: bridgeSchema,
  capabilities: { instances: true, leases: true },
  open: (network, context) => new Bridge(network, context),
};
