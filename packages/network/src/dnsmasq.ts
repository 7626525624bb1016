import { chmod, chown, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFalse, isTrue, LxdError, toLxdError, type NetworkSpec } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import type { AssignedAddress, HostReservation, Lease, NetworkContext } from './driver.ts';
import { freeAddress } from './free-address.ts';
import { releaseLease } from './release-lease.ts';
import { addressValue, contains, defaultRange, type Cidr } from './subnet.ts';

/** dnsmasq serves as nobody: it needs no more than its open sockets and its lease file. */
const user = 'nobody';
const userId = 65534;
const startTimeoutMs = 5_000;

/** Without it dnsmasq joins the group of those who may dial out, where there is one. */
async function groupLine(): Promise<string> {
  const groups = await readFile('/etc/group', 'utf8').catch(() => '');
  const group = /^(nogroup|nobody):/m.exec(groups)?.[1];
  return group === undefined ? '' : `group=${group}\n`;
}

/** A process that ends loses its command line before its sockets: only a zombie, or none, holds nothing any more. */
async function ended(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return status === '' || /^State:\s+[ZX]/m.test(status);
}

function rangesOf(config: NetworkSpec['config'], v4: Cidr): [first: string, last: string][] {
  if (!config['ipv4.dhcp.ranges']) return [defaultRange(v4)];
  return config['ipv4.dhcp.ranges'].split(',').map((range) => {
    const [first = '', last = first] = range.trim().split('-');
    return [first, last];
  });
}

/** Its configuration file. Only MAC addresses that were reserved get a name, whatever name a client sends. */
export function dnsmasqConfig(network: NetworkSpec, dir: string, addresses: readonly Cidr[]): string {
  const { name, config } = network;
  const domain = config['dns.domain'] || 'lxd';
  const v4 = addresses.find(({ family }) => family === 4);
  const v6 = addresses.find(({ family }) => family === 6);
  const lines = [
    'keep-in-foreground',
    'strict-order',
    'bind-interfaces',
    'except-interface=lo',
    `interface=${name}`,
    'pid-file=',
    'no-ping',
    'dhcp-no-override',
    'dhcp-authoritative',
    'dhcp-rapid-commit',
    'dhcp-ignore-names',
    'quiet-dhcp',
    'quiet-dhcp6',
    'quiet-ra',
    `dhcp-leasefile=${join(dir, 'dnsmasq.leases')}`,
    `dhcp-hostsfile=${join(dir, 'dnsmasq.hosts')}`,
    `addn-hosts=${join(dir, 'dnsmasq.names')}`,
    `user=${user}`,
    ...addresses.map(({ address }) => `listen-address=${address}`),
  ];
  if (v4 && !isFalse(config['ipv4.dhcp'])) {
    const expiry = config['ipv4.dhcp.expiry'] || '1h';
    lines.push(...rangesOf(config, v4).map(([first, last]) => `dhcp-range=${first},${last},${expiry}`));
    if (config['ipv4.dhcp.gateway']) lines.push(`dhcp-option-force=3,${config['ipv4.dhcp.gateway']}`);
    if (config['bridge.mtu']) lines.push(`dhcp-option-force=26,${config['bridge.mtu']}`);
    if (config['dns.search']) lines.push(`dhcp-option-force=119,${config['dns.search']}`);
  }
  if (v6) {
    lines.push('enable-ra');
    if (!isFalse(config['ipv6.dhcp'])) {
      const expiry = config['ipv6.dhcp.expiry'] || '1h';
      const ranges = (config['ipv6.dhcp.ranges'] ?? '').split(',').filter(Boolean);
      if (!isTrue(config['ipv6.dhcp.stateful'])) {
        lines.push(`dhcp-range=::,constructor:${name},ra-stateless,ra-names`);
      } else if (ranges.length === 0) {
        lines.push(`dhcp-range=::2,::ffff:ffff:ffff:ffff,constructor:${name},${expiry}`);
      }
      if (isTrue(config['ipv6.dhcp.stateful'])) {
        for (const range of ranges) {
          const [first = '', last = first] = range.trim().split('-');
          lines.push(`dhcp-range=${first},${last},${v6.prefix},${expiry}`);
        }
      }
    } else {
      lines.push(`dhcp-range=::,constructor:${name},ra-only`);
    }
  }
  if (config['dns.mode'] === 'none') lines.push('port=0');
  else lines.push(`domain=${domain}`, `interface-name=_gateway.${domain},${name}`, `local=/${domain}/`);
  if (config['raw.dnsmasq']) lines.push(config['raw.dnsmasq']);
  return `${lines.join('\n')}\n`;
}

/** `expiry mac ip name client-id`, and after a `duid` line the same for IPv6 with an IAID in the MAC's place. */
export function parseLeases(text: string): { hwaddr: string; address: string }[] {
  let v6 = false;
  return text.split('\n').flatMap((line) => {
    const [first = '', second = '', address = '', , client = ''] = line.split(' ');
    if (first === 'duid') v6 = true;
    if (!/^\d+$/.test(first) || address === '') return [];
    // A client's DUID ends in its MAC where it is made from one.
    const hwaddr = v6 ? client.split(':').slice(-6).join(':') : second;
    return [{ hwaddr: hwaddr.toLowerCase(), address }];
  });
}

/** The address a host with this MAC gives itself in the subnet. */
export function eui64(cidr: Cidr, hwaddr: string): string {
  const bytes = hwaddr.split(':').map((part) => parseInt(part, 16));
  const id = [(bytes[0] ?? 0) ^ 2, bytes[1], bytes[2], 0xff, 0xfe, bytes[3], bytes[4], bytes[5]];
  const low = id.reduce<bigint>((sum, byte) => (sum << 8n) | BigInt(byte ?? 0), 0n);
  const value = ((cidr.value >> 64n) << 64n) | low;
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

const reservationLine = ({ hwaddr, hostname, ipv4, ipv6 }: HostReservation): string =>
  [hwaddr, ...(ipv4 ? [ipv4] : []), ...(ipv6 ? [`[${ipv6}]`] : []), hostname].join(',');

function parseReservation(line: string): HostReservation {
  const [hwaddr = '', ...rest] = line.trim().split(',');
  const ipv6 = rest.find((part) => part.startsWith('['))?.slice(1, -1);
  const ipv4 = rest.find((part) => /^\d+\.\d+\.\d+\.\d+$/.test(part));
  return { hwaddr, hostname: rest.at(-1) ?? '', ...(ipv4 ? { ipv4 } : {}), ...(ipv6 ? { ipv6 } : {}) };
}

/** The DHCP and DNS server of one bridge; it outlives the daemon. */
export class Dnsmasq {
  readonly #host: Host;
  readonly #network: NetworkSpec;
  readonly #dir: string;

  constructor(network: NetworkSpec, { host, dir }: NetworkContext) {
    this.#host = host;
    this.#network = network;
    this.#dir = join(dir, 'networks', network.name);
  }

  get #hosts(): string {
    return join(this.#dir, 'dnsmasq.hosts');
  }

  /** Files of hosts whose addresses were not given by DHCP: of those DNS knows nothing. */
  get #names(): string {
    return join(this.#dir, 'dnsmasq.names');
  }

  get #configFile(): string {
    return join(this.#dir, 'dnsmasq.conf');
  }

  /** A device's name may have slashes in it. */
  #hostFile(key: string): string {
    return join(this.#hosts, encodeURIComponent(key));
  }

  async #pid(): Promise<number> {
    return Number(await readFile(join(this.#dir, 'dnsmasq.pid'), 'utf8').catch(() => '0'));
  }

  /** Whether its process is there, and still it. */
  async running(): Promise<boolean> {
    const cmdline = await readFile(`/proc/${await this.#pid()}/cmdline`, 'utf8').catch(() => '');
    return cmdline.includes(this.#configFile);
  }

  /** Leaves one that runs with the same configuration alone. */
  async start(addresses: readonly Cidr[], signal: AbortSignal): Promise<void> {
    await mkdir(this.#hosts, { recursive: true, mode: 0o755 });
    await chmod(this.#dir, 0o711);
    await chmod(this.#hosts, 0o755);
    await mkdir(this.#names, { recursive: true, mode: 0o755 });
    await chmod(this.#names, 0o755);
    if (addresses.length === 0) {
      await this.stop();
      return;
    }
    const config = `${dnsmasqConfig(this.#network, this.#dir, addresses)}${await groupLine()}`;
    const before = await readFile(this.#configFile, 'utf8').catch(() => '');
    if (before === config && (await this.running())) return;
    await this.stop();
    await writeFile(this.#configFile, config, { mode: 0o600 });
    const leases = await open(join(this.#dir, 'dnsmasq.leases'), 'a', 0o644);
    await leases.close();
    await chown(join(this.#dir, 'dnsmasq.leases'), userId, userId);
    // It says what is wrong with its configuration before it becomes a daemon.
    await this.#host
      .run(['dnsmasq', '--test', `--conf-file=${this.#configFile}`], { signal })
      .catch((error: unknown) => {
        throw new LxdError(
          'invalid',
          `dnsmasq refuses the configuration of "${this.#network.name}": ${toLxdError(error).message}`,
        );
      });
    const pid = await this.#host.daemonize(['dnsmasq', `--conf-file=${this.#configFile}`], {
      logFile: join(this.#dir, 'dnsmasq.log'),
    });
    await writeFile(join(this.#dir, 'dnsmasq.pid'), String(pid), { mode: 0o600 });
    await this.#untilServing(pid, signal);
  }

  /** It gives up root once it has all its sockets: from then on clients are answered. */
  async #untilServing(pid: number, signal: AbortSignal): Promise<void> {
    const end = Date.now() + startTimeoutMs;
    for (;;) {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
      if (new RegExp(`^Uid:\\s+${userId}\\b`, 'm').test(status)) return;
      if ((await ended(pid)) || Date.now() > end) break;
      await sleep(5, undefined, { signal });
    }
    const log = await readFile(join(this.#dir, 'dnsmasq.log'), 'utf8').catch(() => '');
    const said = log.trim().split('\n').slice(-2).join('; ') || 'it gave no reason';
    throw new LxdError('internal', `dnsmasq does not serve "${this.#network.name}": ${said}`);
  }

  async stop(): Promise<void> {
    const pid = await this.#pid();
    if (await this.running()) {
      await this.#host.signalProcess(pid, this.#configFile, 'SIGTERM');
      for (let i = 0; i < 100 && !(await ended(pid)); i++) await sleep(10);
      await this.#host.signalProcess(pid, this.#configFile, 'SIGKILL');
      for (let i = 0; i < 100 && !(await ended(pid)); i++) await sleep(10);
    }
    await rm(join(this.#dir, 'dnsmasq.pid'), { force: true });
  }

  async delete(): Promise<void> {
    await this.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #reload(): Promise<void> {
    await this.#host.signalProcess(await this.#pid(), this.#configFile, 'SIGHUP');
  }

  async reserve(key: string, reservation: HostReservation, name = ''): Promise<void> {
    const file = this.#hostFile(key);
    const line = `${reservationLine(reservation)}\n`;
    const named = join(this.#names, encodeURIComponent(key));
    const [before, nameBefore] = await Promise.all(
      [file, named].map((path) => readFile(path, 'utf8').catch(() => '')),
    );
    if (before === line && nameBefore === name) return;
    await writeFile(file, line, { mode: 0o644 });
    if (name === '') await rm(named, { force: true });
    else await writeFile(named, name, { mode: 0o644 });
    await this.#reload();
  }

  /** See `ManagedNetwork.assign`. */
  async assign(
    key: string,
    reservation: HostReservation,
    addresses: readonly Cidr[],
  ): Promise<AssignedAddress | undefined> {
    const { config } = this.#network;
    const v4 = addresses.find(({ family }) => family === 4);
    if (!v4 || isFalse(config['ipv4.dhcp'])) {
      await this.reserve(key, reservation);
      return undefined;
    }
    const had = await readFile(this.#hostFile(key), 'utf8').catch(() => '');
    for (let wanted = reservation.ipv4 ?? parseReservation(had).ipv4; ;) {
      const taken = await this.#taken(key, reservation.hwaddr);
      // What it was told to have is not asked about.
      const ipv4 =
        reservation.ipv4 ??
        (wanted !== undefined && !taken.has(wanted) && contains(v4, wanted)
          ? wanted
          : freeAddress(rangesOf(config, v4), new Set([...taken, v4.address]), reservation.hwaddr));
      if (ipv4 === undefined)
        throw new LxdError('conflict', `Network "${this.#network.name}" has no free IPv4 address`);
      const domain = config['dns.domain'] || 'lxd';
      const { hostname } = reservation;
      await this.reserve(key, { ...reservation, ipv4 }, `${ipv4} ${hostname}.${domain} ${hostname}\n`);
      // From now on dnsmasq gives it to nobody; until just now it may have.
      if (reservation.ipv4 !== undefined || !(await this.#taken(key, reservation.hwaddr)).has(ipv4))
        return { address: `${ipv4}/${v4.prefix}`, gateway: config['ipv4.dhcp.gateway'] || v4.address };
      wanted = undefined;
    }
  }

  /** Addresses that others have. */
  async #taken(key: string, hwaddr: string): Promise<Set<string>> {
    const own = encodeURIComponent(key);
    const names = (await readdir(this.#hosts).catch(() => [])).filter((name) => name !== own);
    const reserved = await Promise.all(
      names.map(async (name) =>
        parseReservation(await readFile(join(this.#hosts, name), 'utf8').catch(() => '')),
      ),
    );
    const leases = parseLeases(await readFile(join(this.#dir, 'dnsmasq.leases'), 'utf8').catch(() => ''));
    return new Set([
      ...reserved.flatMap(({ ipv4 }) => ipv4 ?? []),
      ...leases.filter((lease) => lease.hwaddr !== hwaddr).map(({ address }) => address),
    ]);
  }

  async release(key: string, addresses: readonly Cidr[]): Promise<void> {
    const file = this.#hostFile(key);
    const known = await readFile(file, 'utf8').catch(() => undefined);
    if (known === undefined) return;
    // The last to go says whose the other is.
    await rm(join(this.#names, encodeURIComponent(key)), { force: true });
    await rm(file);
    await this.#reload();
    await this.#giveBack(parseReservation(known).hwaddr, addresses);
  }

  /** What does not work out here ends with its lease. */
  async #giveBack(hwaddr: string, addresses: readonly Cidr[]): Promise<void> {
    const v4 = addresses.find(({ family }) => family === 4);
    if (!v4 || !(await this.running())) return;
    const given = parseLeases(await readFile(join(this.#dir, 'dnsmasq.leases'), 'utf8').catch(() => ''));
    for (const lease of given.filter((one) => one.hwaddr === hwaddr && isIPv4(one.address))) {
      await releaseLease(v4, hwaddr, lease.address).catch(() => undefined);
    }
  }

  /** The bridge's own addresses first, then what was reserved or handed out to a known instance. */
  async leases(addresses: readonly Cidr[]): Promise<Lease[]> {
    const gateway = addresses.map(({ address }): Lease => ({
      hostname: `${this.#network.name}.gw`,
      hwaddr: '',
      address,
      type: 'gateway',
    }));
    const names = await readdir(this.#hosts).catch(() => []);
    const reservations = await Promise.all(
      names.map(async (name) => parseReservation(await readFile(join(this.#hosts, name), 'utf8'))),
    );
    const given = parseLeases(await readFile(join(this.#dir, 'dnsmasq.leases'), 'utf8').catch(() => ''));
    const v6 = addresses.find(({ family, prefix }) => family === 6 && prefix === 64);
    const hosts = reservations.flatMap(({ hwaddr, hostname, ipv4, ipv6 }): Lease[] => {
      const fixed = [ipv4, ipv6].filter((address) => address !== undefined);
      const dynamic = given
        .filter((lease) => lease.hwaddr === hwaddr && !fixed.includes(lease.address))
        .map(({ address }) => address);
      const own =
        v6 && !ipv6 && !isTrue(this.#network.config['ipv6.dhcp.stateful']) ? [eui64(v6, hwaddr)] : [];
      return [
        ...fixed.map((address) => ({ hostname, hwaddr, address, type: 'static' as const })),
        ...[...own, ...dynamic].map((address) => ({ hostname, hwaddr, address, type: 'dynamic' as const })),
      ];
    });
    return [...gateway, ...hosts].sort((a, b) =>
      a.hostname === b.hostname
        ? Math.sign(Number(addressValue(a.address) - addressValue(b.address)))
        : a.hostname < b.hostname
          ? -1
          : 1,
    );
  }
}
