import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig } from '@lxd-ts/core';
import { fakeHost } from '@lxd-ts/host';
import { Dnsmasq, dnsmasqConfig, eui64, parseLeases } from './dnsmasq.ts';
import { bridgeSchema } from './schema.ts';
import { parseCidr } from './subnet.ts';

const v4 = parseCidr('10.1.2.1/24')!;
const v6 = parseCidr('fd42:1:2:3::1/64')!;
const network = (config: Record<string, string> = {}) => ({
  project: 'default',
  name: 'br0',
  type: 'bridge',
  config,
});
const lines = (config: Record<string, string>, addresses = [v4, v6]) =>
  dnsmasqConfig(network(config), '/d', addresses).split('\n');

test('serves only the bridge, with the range that follows from its subnet', () => {
  const all = lines({});
  for (const line of [
    'interface=br0',
    'except-interface=lo',
    'bind-interfaces',
    'dhcp-ignore-names',
    'user=nobody',
  ])
    expect(all).toContain(line);
  expect(all).toContain('dhcp-range=10.1.2.2,10.1.2.254,1h');
  expect(all).toContain('dhcp-range=::,constructor:br0,ra-stateless,ra-names');
  expect(all).toContain('domain=lxd');
});

test('follows the options', () => {
  const all = lines({
    'ipv4.dhcp.ranges': '10.1.2.10-10.1.2.20, 10.1.2.30-10.1.2.40',
    'ipv4.dhcp.expiry': '2h',
    'ipv4.dhcp.gateway': '10.1.2.254',
    'ipv6.dhcp.stateful': 'true',
    'ipv6.dhcp.ranges': 'fd42:1:2:3::10-fd42:1:2:3::20',
    'dns.domain': 'box.test',
    'bridge.mtu': '1400',
    'raw.dnsmasq': 'log-queries',
  });
  expect(all).toContain('dhcp-range=10.1.2.10,10.1.2.20,2h');
  expect(all).toContain('dhcp-range=10.1.2.30,10.1.2.40,2h');
  expect(all).toContain('dhcp-option-force=3,10.1.2.254');
  expect(all).toContain('dhcp-option-force=26,1400');
  expect(all).toContain('dhcp-range=fd42:1:2:3::10,fd42:1:2:3::20,64,1h');
  expect(all).toContain('domain=box.test');
  expect(all.at(-2)).toBe('log-queries');
});

test('no DHCP, no DNS', () => {
  const all = lines({ 'ipv4.dhcp': 'false', 'ipv6.dhcp': 'false', 'dns.mode': 'none' });
  expect(all.filter((line) => line.startsWith('dhcp-range='))).toEqual([
    'dhcp-range=::,constructor:br0,ra-only',
  ]);
  expect(all).toContain('port=0');
});

test.each([
  'dns.domain',
  'dns.search',
  'ipv4.dhcp.ranges',
  'ipv6.dhcp.ranges',
  'ipv4.dhcp.gateway',
  'ipv4.routes',
])('%s cannot bring a line of its own', (key) => {
  expect(() => checkConfig(bridgeSchema, { [key]: 'a\ndhcp-script=/bin/evil' }, 'network')).toThrow(key);
});

test('leases of both families, by MAC address', () => {
  const text = `1700000000 00:16:3e:00:00:01 10.1.2.3 * 01:00
duid 00:01:00:01:aa
1700000000 123 fd42:1:2:3::5 * 00:01:00:01:2b:00:00:00:00:16:3E:00:00:02
`;
  expect(parseLeases(text)).toEqual([
    { hwaddr: '00:16:3e:00:00:01', address: '10.1.2.3' },
    { hwaddr: '00:16:3e:00:00:02', address: 'fd42:1:2:3::5' },
  ]);
  expect(parseLeases('')).toEqual([]);
});

test('the address a host gives itself is written the short way', () => {
  expect(eui64(v6, '00:16:3e:00:00:01')).toBe('fd42:1:2:3:216:3eff:fe00:1');
  expect(eui64(parseCidr('fd42::1/64')!, '02:00:00:00:00:01')).toBe('fd42::ff:fe00:1');
});

test('reservations name the leases; release takes the name back', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'lxd-ts-dnsmasq-'));
  try {
    const files = join(dir, 'networks/br0');
    mkdirSync(join(files, 'dnsmasq.hosts'), { recursive: true });
    const dnsmasq = new Dnsmasq(network(), { host: fakeHost(), dir });
    const hwaddr = '00:16:3e:00:00:01';
    await dnsmasq.reserve('c1.eth0', { hwaddr, hostname: 'c1', ipv4: '10.1.2.50' });
    await dnsmasq.reserve('c2.eth0', { hwaddr: '00:16:3e:00:00:02', hostname: 'c2' });
    writeFileSync(
      join(files, 'dnsmasq.leases'),
      `1 ${hwaddr} 10.1.2.50 c1 *\n1 00:16:3e:00:00:02 10.1.2.7 c2 *\n1 00:16:3e:00:00:99 10.1.2.9 stranger *\n`,
    );
    expect(await dnsmasq.leases([v4])).toEqual([
      { hostname: 'br0.gw', hwaddr: '', address: '10.1.2.1', type: 'gateway' },
      { hostname: 'c1', hwaddr, address: '10.1.2.50', type: 'static' },
      { hostname: 'c2', hwaddr: '00:16:3e:00:00:02', address: '10.1.2.7', type: 'dynamic' },
    ]);
    await dnsmasq.release('c1.eth0', [v4]);
    await dnsmasq.release('c1.eth0', [v4]);
    expect((await dnsmasq.leases([])).map(({ hostname }) => hostname)).toEqual(['c2']);
    await dnsmasq.delete();
    expect(existsSync(files)).toBe(false);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

describe('an address for one that asks nobody', () => {
  let dir: string;
  let files: string;
  let dnsmasq: Dnsmasq;
  const hwaddr = '00:16:3e:00:00:01';
  const ask = (key = 'c1.eth0', more: object = {}) =>
    dnsmasq.assign(key, { hwaddr, hostname: 'c1', ...more }, [v4, v6]);
  const leased = (text: string) => writeFileSync(join(files, 'dnsmasq.leases'), text);
  const names = () => readdirSync(join(files, 'dnsmasq.names'));

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'lxd-ts-dnsmasq-'));
    files = join(dir, 'networks/br0');
    for (const name of ['dnsmasq.hosts', 'dnsmasq.names']) mkdirSync(join(files, name), { recursive: true });
    dnsmasq = new Dnsmasq(network({ 'ipv4.dhcp.ranges': '10.1.2.10-10.1.2.12' }), { host: fakeHost(), dir });
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  test('is of the range, stays the same, and has a name', async () => {
    const first = await ask();
    expect(first).toEqual({
      address: expect.stringMatching(/^10\.1\.2\.1[012]\/24$/) as string,
      gateway: '10.1.2.1',
    });
    expect(await ask()).toEqual(first);
    const [address = ''] = first?.address.split('/') ?? [];
    const text = readFileSync(join(files, 'dnsmasq.names', names()[0] ?? ''), 'utf8');
    expect(text).toBe(`${address} c1.lxd c1\n`);
    expect(await dnsmasq.leases([])).toEqual([{ hostname: 'c1', hwaddr, address, type: 'static' }]);
    await dnsmasq.release('c1.eth0', []);
    expect(names()).toEqual([]);
  });

  test('is nobody else’s: leases and reservations are looked at, until there is none', async () => {
    leased('1 00:16:3e:00:00:07 10.1.2.10 x *\n');
    await dnsmasq.reserve('c2.eth0', { hwaddr: '00:16:3e:00:00:02', hostname: 'c2', ipv4: '10.1.2.12' });
    expect((await ask())?.address).toBe('10.1.2.11/24');
    await expect(ask('c3.eth0', { hwaddr: '00:16:3e:00:00:03' })).rejects.toThrow(/no free IPv4 address/);
    // One that another got while it was away is given up.
    leased('1 00:16:3e:00:00:07 10.1.2.11 x *\n');
    expect((await ask())?.address).toBe('10.1.2.10/24');
  });

  test('that was asked for is given as it is; where there is no DHCP there is none', async () => {
    expect((await ask('c1.eth0', { ipv4: '10.1.2.99' }))?.address).toBe('10.1.2.99/24');
    const off = new Dnsmasq(network({ 'ipv4.dhcp': 'false' }), { host: fakeHost(), dir });
    expect(await off.assign('c9.eth0', { hwaddr, hostname: 'c9' }, [v4])).toBeUndefined();
  });
});
