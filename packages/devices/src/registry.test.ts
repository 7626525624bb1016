import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig, type Config } from '@lxd-ts/core';
import { fakeHost } from '@lxd-ts/host';
import { deviceDrivers, driverFor } from './registry.ts';
import { deviceSuite, instanceWith } from './testing/device-suite.ts';

/** The least each takes; those that need the kernel to start are proven with a real one. */
const least: Readonly<Record<string, Config>> = {
  disk: { type: 'disk', path: '/mnt', source: '/' },
  'nic-macvlan': { type: 'nic', nictype: 'macvlan', parent: 'lo' },
  'nic-p2p': { type: 'nic', nictype: 'p2p' },
  none: { type: 'none' },
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
    mac0: { project: 'default', name: 'mac0', type: 'macvlan', config: {} },
  };
  expect(driverFor({ type: 'nic', nictype: 'p2p' }, {}).type).toBe('nic-p2p');
  expect(driverFor({ type: 'nic', network: 'br0' }, networks).type).toBe('nic-bridged');
  expect(driverFor({ type: 'nic', network: 'mac0' }, networks).type).toBe('nic-macvlan');
  expect(() => driverFor({ type: 'warp' }, {})).toThrow('Unsupported device type');
});

test('each type is registered once', () => {
  const types = deviceDrivers.map(({ type }) => type);
  expect(new Set(types).size).toBe(types.length);
});

const validate = (config: Config) => () => {
  driverFor(config, {}).validate(config, instanceWith(config));
};

test.each<[Config, RegExp]>([
  [{ type: 'nic', nictype: 'bridged' }, /Invalid value for device option "parent": Required value/],
  [{ type: 'nic', nictype: 'bridged', network: 'lo', parent: 'br0' }, /cannot be given together/],
  [{ type: 'nic', nictype: 'bridged', network: 'no' }, /Network not found/],
  [{ type: 'disk', path: '/' }, /must have a "pool"/],
  [{ type: 'disk', path: '/', pool: 'p1', source: 'x' }, /may not have a "source"/],
  [{ type: 'disk', path: '/mnt' }, /missing the required "source"/],
  [{ type: 'disk', path: '/mnt', source: 'relative' }, /absolute path/],
  [{ type: 'disk', path: '/mnt', source: 'v', pool: 'nope' }, /"nope" storage pool doesn't exist/],
  [{ type: 'unix-char' }, /"source" or "path"/],
  [{ type: 'unix-char', path: '/dev/x', major: '1' }, /together/],
])('%j is refused', (config, message) => {
  expect(validate(config)).toThrow(message);
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
    networks: { reserve: () => Promise.resolve(), release: () => Promise.resolve() },
    volumePath: () => '',
    randomId: () => '1',
  });
  const wait = { signal: AbortSignal.timeout(5_000) };
  const disk = driverFor(config, {});
  await expect(disk.start(context({}), wait)).rejects.toThrow(/Missing source path/);
  expect((await disk.start(context({ required: 'false' }), wait)).lxc).toEqual([]);
  expect((await disk.start(context({ source: '/tmp', path: '/a b', readonly: 'true' }), wait)).lxc).toEqual([
    ['lxc.mount.entry', `${dir}/devices/c1/disk.d1 a\\040b none bind,ro,create=dir 0 0`],
  ]);
  await disk.stop(context({}), wait);
  expect(readdirSync(join(dir, 'devices'))).toEqual([]);
  rmSync(dir, { recursive: true });
});
