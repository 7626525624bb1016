import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '@lxd-ts/core';
import { linuxHost } from '@lxd-ts/host';
import { networkDriver, type ManagedNetwork } from '@lxd-ts/network';

const wait = { signal: AbortSignal.timeout(300_000) };
const host = linuxHost();
const bridge = networkDriver('bridge')!;
// Two runs on one host must not meet.
const tag = process.pid.toString(36).slice(-5);
const name = `lxt${tag}`;
const namespace = `lxt-ns-${tag}`;
const hwaddr = '00:16:3e:11:22:33';

const run = (...argv: [string, ...string[]]): string =>
  execFileSync(argv[0], argv.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const quiet = (...argv: [string, ...string[]]): string => {
  try {
    return run(...argv);
  } catch {
    return '';
  }
};
const inside = (...argv: string[]) => run('ip', 'netns', 'exec', namespace, ...argv);
const present = () => existsSync(`/sys/class/net/${name}`);
const nat = () => quiet('nft', 'list', 'chain', 'inet', 'lxd-ts', `pstrt.${name}`);
const rules = () => quiet('nft', 'list', 'table', 'inet', 'lxd-ts');

let dir: string;

beforeAll(() => {
  dir = mkdtempSync('/tmp/lxd-ts-network-');
  chmodSync(dir, 0o711);
  mkdirSync(join(dir, 'networks'), { mode: 0o711 });
});
afterAll(async () => {
  quiet('ip', 'netns', 'delete', namespace);
  await open({}).delete(wait);
  rmSync(dir, { recursive: true });
});

const open = (config: Config): ManagedNetwork =>
  bridge.open({ project: 'default', name, type: 'bridge', config }, { host, dir });
const dnsmasqPid = () => Number(quiet('cat', join(dir, 'networks', name, 'dnsmasq.pid')));
const alive = (pid: number) => pid > 0 && existsSync(`/proc/${pid}`);

/** A host on the bridge, with a MAC address of its own. */
async function plugIn(): Promise<void> {
  const veth = `${name}v`;
  run('ip', 'netns', 'add', namespace);
  run(
    'ip',
    'link',
    'add',
    veth,
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'address',
    hwaddr,
    'netns',
    namespace,
  );
  run('ip', 'link', 'set', veth, 'master', name, 'up');
  inside('ip', 'link', 'set', 'eth0', 'up');
  inside('ip', 'link', 'set', 'lo', 'up');
  await sleep(100);
}

/** What DHCP gives: `ip` and what comes with it, by the script's variables. */
function dhcp(claimed = 'somebody'): Record<string, string> {
  const script = join(dir, 'udhcpc.script');
  execFileSync('sh', [
    '-c',
    `printf '#!/bin/sh\\n[ "$1" = bound ] && env\\nexit 0\\n' > "$0"; chmod 755 "$0"`,
    script,
  ]);
  const options = [
    '-i',
    'eth0',
    '-n',
    '-q',
    '-f',
    '-t',
    '10',
    '-T',
    '1',
    '-x',
    `hostname:${claimed}`,
    '-s',
    script,
  ];
  const output = inside('busybox', 'udhcpc', ...options);
  return Object.fromEntries(
    output.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
    }),
  );
}

describe.each([1, 2])('a bridge, time %i', () => {
  let config: Config;
  let network: ManagedNetwork;

  test('chooses subnets that nobody uses and changes nothing by it', async () => {
    config = await open({}).complete(wait);
    expect(config['ipv4.address']).toMatch(/^10\.\d+\.\d+\.1\/24$/);
    expect(config['ipv6.address']).toMatch(/^fd42:.*\/64$/);
    expect(config).toMatchObject({ 'ipv4.nat': 'true', 'ipv6.nat': 'true' });
    expect(present()).toBe(false);
    expect(await open({ 'ipv4.address': 'none', 'ipv6.address': 'none' }).complete(wait)).toEqual({
      'ipv4.address': 'none',
      'ipv6.address': 'none',
    });
  });

  test('comes up with its addresses, its rules and its server; again does nothing', async () => {
    network = open(config);
    await network.start(wait);
    const pid = dnsmasqPid();
    const address = run('ip', '-brief', 'address', 'show', 'dev', name);
    expect(address).toContain(config['ipv4.address']);
    expect(address).toContain(config['ipv6.address']);
    expect(nat()).toMatch(/masquerade/);
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Uid:\s+65534/m);
    await open(config).start(wait);
    expect(dnsmasqPid()).toBe(pid);
    const setting = (path: string) => readFileSync(`/proc/sys/net/${path}`, 'utf8').trim();
    expect(setting(`ipv6/conf/${name}/accept_dad`)).toBe('0');
    expect(setting(`ipv6/conf/${name}/autoconf`)).toBe('0');
    expect(setting('ipv6/conf/all/forwarding')).toBe('1');
    expect(setting('ipv6/conf/lo/accept_ra')).not.toBe('1');
    expect(setting('ipv4/ip_forward')).toBe('1');
    expect(run('ip', '-brief', 'address', 'show', 'dev', name)).toBe(address);
    expect(nat().match(/masquerade/g)).toHaveLength(2);
  });

  test('gives a reserved NIC its address and its name', async () => {
    const [subnet] = (config['ipv4.address'] ?? '').split('.1/');
    await plugIn();
    const fixed = `${subnet}.77`;
    await network.reserve('c1.eth0', { hwaddr, hostname: 'c1', ipv4: fixed }, wait);
    const lease = dhcp('stolen');
    expect(lease).toMatchObject({ ip: fixed, router: `${subnet}.1`, dns: `${subnet}.1`, domain: 'lxd' });
    inside('ip', 'address', 'add', `${fixed}/24`, 'dev', 'eth0');
    expect(inside('busybox', 'nslookup', 'c1.lxd', `${subnet}.1`)).toContain(fixed);
    expect(() => inside('busybox', 'nslookup', 'stolen.lxd', `${subnet}.1`)).toThrow();
    expect(inside('busybox', 'nslookup', '_gateway.lxd', `${subnet}.1`)).toContain(`${subnet}.1`);
    expect(await network.leases(wait)).toEqual(
      expect.arrayContaining([
        { hostname: 'c1', hwaddr, address: fixed, type: 'static' },
        { hostname: `${name}.gw`, hwaddr: '', address: `${subnet}.1`, type: 'gateway' },
      ]),
    );
  });

  test('a server that died, or a bridge that somebody deleted, is missed and put right', async () => {
    expect(await network.healthy()).toBe(true);
    const pid = dnsmasqPid();
    process.kill(pid, 'SIGKILL');
    await sleep(50);
    expect(await network.healthy()).toBe(false);
    await network.start(wait);
    expect(dnsmasqPid()).not.toBe(pid);
    run('ip', 'link', 'delete', 'dev', name);
    expect(await network.healthy()).toBe(false);
    await network.start(wait);
    expect(await network.healthy()).toBe(true);
    run('ip', 'link', 'set', `${name}v`, 'master', name, 'up');
    inside('ip', 'address', 'flush', 'dev', 'eth0');
    expect(dhcp()['ip']).toMatch(/\.77$/);
  });

  test('a reservation stays among its own, whatever its NIC is called', async () => {
    const key = 'c2.../../../a/b c';
    const hosts = join(dir, 'networks', name, 'dnsmasq.hosts');
    await network.reserve(key, { hwaddr: '00:16:3e:11:22:44', hostname: 'c2' }, wait);
    expect(readdirSync(hosts)).toHaveLength(2);
    await network.release(key, wait);
    expect(readdirSync(hosts)).toHaveLength(1);
  });

  test('what is released is forgotten: reservation, lease and name', async () => {
    const leases = () => readFileSync(join(dir, 'networks', name, 'dnsmasq.leases'), 'utf8');
    const [server = ''] = (config['ipv4.address'] ?? '').split('/');
    expect(leases()).toContain(hwaddr);
    await network.release('c1.eth0', wait);
    await network.release('c1.eth0', wait);
    expect((await network.leases(wait)).some(({ hostname }) => hostname === 'c1')).toBe(false);
    for (let tries = 0; tries < 100 && leases().includes(hwaddr); tries++) await sleep(20);
    expect(leases()).not.toContain(hwaddr);
    expect(quiet('busybox', 'nslookup', 'c1.lxd', server)).not.toMatch(/\.77/);
  });

  test('a change of address, of NAT and of DHCP holds at once', async () => {
    const after = {
      ...config,
      'ipv4.address': '10.213.77.1/24',
      'ipv4.nat': 'false',
      'ipv4.dhcp.ranges': '10.213.77.9-10.213.77.9',
    };
    await network.update(after, wait);
    const address = run('ip', '-brief', '-4', 'address', 'show', 'dev', name);
    expect(address).toContain('10.213.77.1/24');
    expect(address).not.toContain(config['ipv4.address']);
    expect(nat().match(/masquerade/g)).toHaveLength(1);
    network = open(after);
    inside('ip', 'address', 'flush', 'dev', 'eth0');
    expect(dhcp()['ip']).toBe('10.213.77.9');
  });

  test('a configuration that dnsmasq refuses is told of', async () => {
    const bad = open({ ...config, 'raw.dnsmasq': 'no-such-option' });
    await expect(bad.start(wait)).rejects.toMatchObject({ code: 'invalid' });
    await network.start(wait);
    expect(alive(dnsmasqPid())).toBe(true);
  });

  test('a deletion leaves nothing, and again does nothing', async () => {
    const pid = dnsmasqPid();
    await network.delete(wait);
    await network.delete(wait);
    run('ip', 'netns', 'delete', namespace);
    expect(present()).toBe(false);
    expect(alive(pid)).toBe(false);
    expect(rules()).not.toContain(name);
    expect(existsSync(join(dir, 'networks', name))).toBe(false);
  });
});

test("two bridges share the table, and one's end leaves the other's rules", async () => {
  const other = `${name}b`;
  const one = open({ 'ipv4.address': '10.213.78.1/24', 'ipv4.nat': 'true' });
  const two = bridge.open(
    {
      project: 'default',
      name: other,
      type: 'bridge',
      config: { 'ipv4.address': '10.213.79.1/24', 'ipv4.nat': 'true' },
    },
    { host, dir },
  );
  await one.start(wait);
  await two.start(wait);
  await one.delete(wait);
  expect(rules()).toContain(`pstrt.${other}`);
  expect(rules()).not.toMatch(new RegExp(`${name}\\b`));
  await two.delete(wait);
  expect(rules()).not.toContain(name);
});

test('ports and routes come and go with the configuration', async () => {
  const port = `${name}p`;
  run('ip', 'link', 'add', 'name', port, 'type', 'veth');
  try {
    const before = {
      'ipv4.address': '10.213.78.1/24',
      'bridge.external_interfaces': port,
      'ipv4.routes': '10.213.80.0/24, 10.213.81.0/24',
    };
    const after = { 'ipv4.address': '10.213.78.1/24', 'ipv4.routes': '10.213.81.0/24' };
    await open(before).start(wait);
    expect(run('ip', 'link', 'show', 'dev', port)).toContain(`master ${name}`);
    expect(run('ip', 'route', 'show', 'dev', name)).toContain('10.213.80.0/24');
    await open(before).update(after, wait);
    expect(run('ip', 'link', 'show', 'dev', port)).not.toContain('master');
    expect(run('ip', 'route', 'show', 'dev', name)).not.toContain('10.213.80.0/24');
    expect(run('ip', 'route', 'show', 'dev', name)).toContain('10.213.81.0/24');
    await open(after).delete(wait);
  } finally {
    run('ip', 'link', 'delete', 'dev', port);
  }
});

test('a bridge without IPv6 has none at all, and takes no interface that the host uses', async () => {
  const port = `${name}p`;
  run('ip', 'link', 'add', 'name', port, 'type', 'veth');
  const config = {
    'ipv4.address': 'none',
    'ipv6.address': 'none',
    'bridge.external_interfaces': `${port}, lxt-absent`,
  };
  const network = open(config);
  try {
    run('ip', 'address', 'add', '10.213.80.1/24', 'dev', port);
    await expect(network.start(wait)).rejects.toThrow(/Only unconfigured network interfaces/);
    run('ip', 'address', 'flush', 'dev', port);
    await network.start(wait);
    await network.start(wait);
    expect(existsSync(`/sys/class/net/${name}/brif/${port}`)).toBe(true);
    expect(readFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, 'utf8').trim()).toBe('1');
    expect(dnsmasqPid()).toBe(0);
    expect(await network.healthy()).toBe(true);
  } finally {
    await network.delete(wait);
    run('ip', 'link', 'delete', 'dev', port);
  }
});

test('an interface of the host is not taken', async () => {
  run('ip', 'link', 'add', 'name', name, 'type', 'bridge');
  try {
    await expect(open({}).complete(wait)).rejects.toMatchObject({ code: 'conflict' });
  } finally {
    run('ip', 'link', 'delete', 'dev', name);
  }
});
