import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig, type Config } from '@lxd-ts/core';
import { fakeHost } from '@lxd-ts/host';
import { deviceNameError, escapeField, pathInside } from './checks.ts';
import { lxcLines } from './lxc-lines.ts';
import { deviceDrivers, driverFor } from './registry.ts';
import { deviceSuite, instanceWith } from './testing/device-suite.ts';

/** The least each takes; those that need the kernel to start are proven with a real one. */
const least: Readonly<Record<string, Config>> = {
  disk: { type: 'disk', path: '/mnt', source: '/' },
  'nic-macvlan': { type: 'nic', nictype: 'macvlan', parent: 'lo' },
  'nic-p2p': { type: 'nic', nictype: 'p2p' },
  'nic-routed': { type: 'nic', nictype: 'routed', 'ipv4.address': '192.0.2.5' },
  none: { type: 'none' },
  'unix-hotplug': { type: 'unix-hotplug', vendorid: 'abcd' },
  usb: { type: 'usb', vendorid: 'abcd' },
  proxy: { type: 'proxy', listen: 'tcp:127.0.0.1:80', connect: 'tcp:127.0.0.1:80' },
};

const drivers = deviceDrivers.filter(({ type }) => type in least);

describe.each(drivers.map((driver) => [driver.type, driver] as const))('%s', (type, driver) => {
  deviceSuite(() => {
    const dir = mkdtempSync(join(tmpdir(), 'lxd-ts-devices-'));
    const nodes = join(dir, 'devices');
    return {
      driver,
      config: least[type] ?? {},
      dir,
      left: () => (existsSync(nodes) ? readdirSync(nodes, { recursive: true, encoding: 'utf8' }) : []),
      [Symbol.dispose]: () => {
        rmSync(dir, { recursive: true });
      },
    };
  });
});

test('a NIC is told by its nictype or by the network it names', () => {
  const networks = {
    br0: { project: 'default', name: 'br0', type: 'bridge', config: {} },
    odd: { project: 'default', name: 'odd', type: 'odd', config: {} },
  };
  expect(driverFor({ type: 'nic', nictype: 'p2p' }, {}).type).toBe('nic-p2p');
  expect(driverFor({ type: 'nic', network: 'br0' }, networks).type).toBe('nic-bridged');
  // What the network says goes, and the driver tells that both were given.
  expect(driverFor({ type: 'nic', network: 'br0', nictype: 'p2p' }, networks).type).toBe('nic-bridged');
  expect(driverFor({ type: 'nic', network: 'toString' }, networks).type).toBe('nic-bridged');
  expect(() => driverFor({ type: 'nic', network: 'odd' }, networks)).toThrow('Unsupported device type');
  expect(() => driverFor({ type: 'nic' }, networks)).toThrow('Unsupported device type');
  expect(() => driverFor({ type: 'warp' }, {})).toThrow('Unsupported device type');
});

test('each type is registered once', () => {
  const types = deviceDrivers.map(({ type }) => type);
  expect(new Set(types).size).toBe(types.length);
});

const networks = {
  br0: {
    project: 'default',
    name: 'br0',
    type: 'bridge',
    config: { 'ipv4.address': '10.1.2.1/24', 'ipv6.address': 'fd42::1/64' },
  },
  br1: {
    project: 'default',
    name: 'br1',
    type: 'bridge',
    config: { 'ipv4.address': 'none', 'ipv6.address': 'fd43::1/64', 'ipv6.dhcp.stateful': 'true' },
  },
};
const validate = (config: Config) => () => {
  const driver = driverFor(config, networks);
  checkConfig(driver.schema, config, 'device');
  driver.validate(config, { ...instanceWith(config), networks });
};

const nic = (more: Config): Config => ({ type: 'nic', ...more });
const proxy = (listen: string, connect = 'tcp:127.0.0.1:80', more: Config = {}): Config => ({
  type: 'proxy',
  listen,
  connect,
  ...more,
});
const mount = (more: Config): Config => ({ type: 'disk', path: '/mnt', source: '/', ...more });

test.each<[Config, RegExp]>([
  [nic({ nictype: 'bridged' }), /Invalid value for device option "parent": Required value/],
  [nic({ nictype: 'macvlan' }), /Invalid value for device option "parent": Required value/],
  [nic({ nictype: 'physical' }), /Invalid value for device option "parent": Required value/],
  [nic({ nictype: 'physical', parent: 'lo' }), /loopback/],
  [nic({ nictype: 'bridged', network: 'br0' }), /Cannot use "nictype" property in conjunction/],
  [nic({ network: 'br0', parent: 'br0' }), /Cannot use "parent" property in conjunction/],
  [nic({ network: 'br0', mtu: '1400' }), /Cannot use "mtu" property in conjunction/],
  [nic({ network: 'no' }), /Network not found/],
  [nic({ network: 'br0', mtu: '1000' }), /Out of MTU range \(1280-16384\) "1000"/],
  [nic({ network: 'br0', name: 'a' }), /too short/],
  [nic({ network: 'br0', name: 'a'.repeat(16) }), /too long/],
  [nic({ network: 'br0', name: '..' }), /invalid characters/],
  [nic({ network: 'br0', 'ipv4.address': '10.1.3.5' }), /"10.1.3.5" not within network "br0" subnet/],
  [nic({ nictype: 'bridged', parent: 'br0', 'ipv4.address': '10.1.3.5' }), /not within network "br0"/],
  [nic({ network: 'br0', 'ipv4.address': '10.1.2.1' }), /assigned to parent managed network device "br0"/],
  [
    nic({ network: 'br0', 'ipv6.address': 'fd42::5' }),
    /"ipv6.dhcp.stateful" are disabled .* on network "br0"/,
  ],
  [nic({ network: 'br1', 'ipv6.address': 'fd42::5' }), /not within network "br1" subnet/],
  [nic({ network: 'br1', 'ipv6.address': 'fd43:0::0:1' }), /assigned to parent managed network device/],
  [nic({ network: 'br1', 'ipv4.address': '10.1.2.5' }), /DHCP is disabled on network "br1"/],
  [nic({ network: 'br0', 'limits.max': 'much' }), /"limits.max".*rate is a whole number/],
  [nic({ network: 'br0', 'ipv4.routes': '1.2.3.4' }), /Item "1.2.3.4": invalid CIDR address: 1.2.3.4/],
  [
    nic({ network: 'br0', 'ipv4.routes': '10.0.0.0/8,1.2.3.5/24' }),
    /Not an IPv4 network address "1.2.3.5\/24"/,
  ],
  [nic({ network: 'br0', 'ipv6.routes': 'fd::1/64' }), /Not an IPv6 network address "fd::1\/64"/],
  [nic({ network: 'br0', vlan: 'abc' }), /Invalid VLAN ID "abc"/],
  [nic({ network: 'br0', vlan: '5000' }), /Out of VLAN ID range \(0-4094\) "5000"/],
  [nic({ network: 'br0', 'vlan.tagged': 'x' }), /Invalid VLAN range input: x/],
  [nic({ network: 'br0', 'ipv4.address': 'none' }), /Cannot have ipv4.address as none unless using/],
  [
    nic({ nictype: 'bridged', parent: 'other', 'security.ipv4_filtering': 'true' }),
    /IPv4 filtering requires a manually specified ipv4.address when using an unmanaged parent bridge/,
  ],
  [nic({ nictype: 'p2p', parent: 'x' }), /parent/],
  [nic({ nictype: 'macvlan', parent: 'xx', 'limits.max': '1Mbit' }), /limits.max/],
  [nic({ nictype: 'routed', vlan: '5' }), /can only be used when combined with a parent interface/],
  [nic({ nictype: 'routed', 'ipv4.routes': '1.2.3.0/24' }), /ipv4.routes requires ipv4.address to be set/],
  [nic({ nictype: 'routed', 'ipv4.address': '1.2.3.4, 1.2.3.4' }), /Duplicate address "1.2.3.4"/],
  [nic({ nictype: 'routed', 'ipv4.address': '1.2.3.4/24' }), /Not an IPv4 address "1.2.3.4\/24"/],
  [nic({ nictype: 'routed', 'ipv4.gateway': 'x' }), /Invalid gateway: x/],
  [{ type: 'disk', path: '/' }, /must have a "pool"/],
  [{ type: 'disk', path: '/', pool: 'p1', source: 'x' }, /may not have a "source"/],
  [{ type: 'disk', path: '/', pool: 'p1', recursive: 'true' }, /recursive option/],
  [{ type: 'disk', path: '/mnt' }, /missing the required "source" or "path"/],
  [{ type: 'disk', source: '/mnt' }, /missing the required "source" or "path"/],
  [mount({ source: 'relative' }), /must be absolute/],
  [mount({ source: 'v', pool: 'nope' }), /"nope" storage pool doesn't exist/],
  [mount({ pool: 'p1' }), /cannot be specified as absolute paths/],
  [mount({ pool: 'p1', source: '../../etc' }), /volume not found/],
  [mount({ pool: 'p1', source: '..' }), /volume not found/],
  [mount({ pool: 'p1', source: 'v', shift: 'true' }), /"shift" property/],
  [mount({ size: '1GiB' }), /Only the root disk/],
  [mount({ required: 'true', optional: 'true' }), /"required" and deprecated "optional"/],
  [mount({ recursive: 'true', readonly: 'true' }), /Recursive read-only/],
  [mount({ path: '/../..' }), /not a path inside/],
  [mount({ path: '/a\nlxc.init.cmd = /x' }), /not a path inside/],
  [mount({ source: '/a\nlxc.init.cmd = /x' }), /one line/],
  [mount({ 'raw.mount.options': 'noexec 0 0' }), /spaces/],
  [{ type: 'proxy' }, /"listen": Unknown protocol type ""/],
  [proxy('tcp:127.0.0.1:80', ''), /"connect": Unknown protocol type ""/],
  [proxy('foo:127.0.0.1:80'), /"listen": Unknown protocol type "foo"/],
  [proxy('tcp'), /"listen": Missing address/],
  [proxy('unix:'), /"listen": Missing address/],
  [proxy('tcp:127.0.0.1'), /address 127.0.0.1: missing port in address/],
  [proxy('tcp:::1:80'), /address ::1:80: too many colons in address/],
  [proxy('tcp:a.name:80'), /Not an IP address "a.name"/],
  [proxy('tcp:127.0.0.1:abc'), /parsing "abc": invalid syntax/],
  [proxy('tcp:127.0.0.1:70000'), /Invalid port number "70000"/],
  [proxy('tcp:127.0.0.1:90-80'), /End port should be higher than start port/],
  [proxy('tcp:127.0.0.1:80', 'tcp:127.0.0.1:80-81'), /Mismatch between listen port\(s\) and connect/],
  [proxy('tcp:127.0.0.1:80-83', 'tcp:127.0.0.1:80-81'), /Mismatch/],
  [proxy('tcp:127.0.0.1:80', 'tcp:127.0.0.1:80', { uid: '1' }), /Only proxy devices for non-abstract/],
  [proxy('unix:@x', 'tcp:127.0.0.1:80', { mode: '0600' }), /Only proxy devices for non-abstract/],
  [proxy('tcp:127.0.0.1:80', 'unix:/x', { proxy_protocol: 'true' }), /PROXY header/],
  [proxy('tcp:127.0.0.1:80', 'udp:127.0.0.1:80', { nat: 'true' }), /tcp <-> udp is not supported when/],
  [proxy('unix:/x', 'unix:/y', { nat: 'true' }), /unix <-> unix is not supported when using NAT/],
  [proxy('tcp:0.0.0.0:80', 'tcp:10.0.0.1:80', { nat: 'true' }), /wildcard address "0.0.0.0"/],
  [proxy('tcp:127.0.0.1:80', 'tcp:[::1]:80', { nat: 'true' }), /Cannot mix IP versions/],
  [proxy('tcp:127.0.0.1:80', 'tcp:127.0.0.1:80', { nat: 'true', bind: 'instance' }), /Only host-bound/],
  [proxy('tcp:127.0.0.1:80', 'tcp:127.0.0.1:80', { bind: 'moon' }), /Invalid binding side/],
  [proxy('unix:/x\nid=1'), /one line/],
  [{ type: 'unix-hotplug' }, /require a vendorid or a productid/],
  [{ type: 'unix-hotplug', vendorid: '12' }, /four lower case hex characters/],
  [{ type: 'usb', productid: 'ABCD' }, /four lower case hex characters/],
  [{ type: 'gpu', gputype: 'mdev' }, /Unsupported device type/],
  [{ type: 'gpu', gputype: 'mig' }, /Either "mig.uuid" or both/],
  [{ type: 'gpu', pci: 'abc' }, /Invalid PCI address/],
  [{ type: 'gpu', id: '0', pci: '00:02.0' }, /Cannot use "id" when when "pci" is set/],
  [{ type: 'gpu', id: '0', vendorid: 'abcd' }, /Cannot use "vendorid" when when "id" is set/],
  [{ type: 'infiniband', nictype: 'physical' }, /"parent": Required value/],
  [{ type: 'infiniband', nictype: 'sriov', parent: 'ib0', hwaddr: '00:11' }, /8 or 20 bytes of hex/],
  [{ type: 'infiniband', parent: 'ib0' }, /Unsupported device type/],
  [{ type: 'tpm', path: '/dev/tpm0' }, /"pathrm": Required value/],
  [{ type: 'pci', address: '00:02.0' }, /Unsupported device type/],
  [{ type: 'unix-char' }, /"source" or "path"/],
  [{ type: 'unix-char', path: '/dev/x', major: 'a', minor: '1' }, /UNIX device number/],
  [{ type: 'unix-char', path: '/dev/x', source: '/etc/passwd' }, /needs to be in \/dev/],
  [{ type: 'unix-char', path: '/dev/x', source: '/dev/../etc/passwd' }, /needs to be in \/dev/],
  [{ type: 'unix-block', path: '/dev/x', uid: '-1' }, /UNIX ID/],
  [{ type: 'unix-block', path: '/dev/x', mode: '999' }, /octal file mode/],
])('%j is refused', (config, message) => {
  expect(validate(config)).toThrow(message);
});

test.each<Config>([
  nic({ network: 'br0', 'ipv4.address': '10.1.2.5', 'user.note': 'any' }),
  nic({ nictype: 'bridged', parent: 'br0', 'ipv4.address': '10.1.2.5', mtu: '1400' }),
  nic({ network: 'br1', 'ipv6.address': 'fd43::5' }),
  nic({ network: 'br0', 'ipv6.routes': 'fd::/64,2001:db8:1::/48', 'limits.max': '10Mbit' }),
  nic({ network: 'br0', 'ipv4.address': 'none', 'security.ipv4_filtering': 'true', vlan: 'none' }),
  nic({ nictype: 'routed', parent: 'xx', vlan: '5', 'ipv4.address': '1.2.3.4,1.2.3.5', gvrp: 'true' }),
  mount({ path: 'relative/is/below/root' }),
  mount({ pool: 'p1', source: 'v1' }),
  proxy('tcp:0.0.0.0:80,82-84'),
  proxy('unix:@x', 'unix:/y'),
  proxy('udp:[::]:53', 'unix:/y', { bind: 'guest' }),
  { type: 'none', 'user.note': 'any' },
])('%j is taken', (config) => {
  expect(validate(config)).not.toThrow();
});

test('names of devices', () => {
  for (const name of ['eth0', 'dev/null', 'a:b_c.d-e', 'x'.repeat(64)]) {
    expect(deviceNameError(name)).toBeUndefined();
  }
  for (const name of ['', '.', '../x', 'a b', 'a\nb', 'ü', 'x'.repeat(65)]) {
    expect(deviceNameError(name)).toBeDefined();
  }
});

test('a path inside leads nowhere else', () => {
  expect(pathInside('/../../etc/')).toBe('etc');
  expect(pathInside('a/./b/../c')).toBe('a/c');
  expect(escapeField('/a b\tc\\d')).toBe('/a\\040b\\011c\\134d');
});

test.each(['ipv4.address', 'ipv6.address', 'hwaddr', 'parent', 'host_name', 'name'])(
  'the %s of a NIC is one word',
  (key) => {
    const config = { type: 'nic', nictype: 'bridged', parent: 'br0', [key]: 'fd42::1\n10.0.0.1' };
    expect(() => checkConfig(driverFor(config, {}).schema, config, 'device')).toThrow(key);
  },
);

test('a disk without its source is refused, or left out where it is optional', async () => {
  const config = { type: 'disk', path: '/mnt', source: '/no/such/path' };
  const dir = mkdtempSync(join(tmpdir(), 'lxd-ts-disk-'));
  const context = (more: Config) => ({
    host: fakeHost(),
    dir,
    instance: instanceWith({ ...config, ...more }),
    name: 'd1',
    config: { ...config, ...more },
    networks: {
      reserve: () => Promise.resolve(),
      assign: () => Promise.resolve(undefined),
      release: () => Promise.resolve(),
    },
    volumes: { hold: () => Promise.resolve(''), release: () => Promise.resolve() },
    volumeConfig: () => ({}),
    devDir: '/dev',
    sysDir: '/sys',
    forwarder: '/bin/false',
    randomId: () => '1',
  });
  const wait = { signal: AbortSignal.timeout(5_000) };
  const disk = driverFor(config, {});
  await expect(disk.start(context({}), wait)).rejects.toThrow(/Missing source path/);
  expect(lxcLines(await disk.start(context({ required: 'false' }), wait))).toEqual([]);
  expect(
    lxcLines(await disk.start(context({ source: '/tmp', path: '/a b', readonly: 'true' }), wait)),
  ).toEqual([['lxc.mount.entry', `${dir}/devices/c1/disk.d1 a\\040b none bind,ro,create=dir 0 0`]]);
  await disk.stop(context({}), wait);
  expect(readdirSync(join(dir, 'devices'))).toEqual([]);
  rmSync(dir, { recursive: true });
});
