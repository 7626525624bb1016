import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '@lxd-ts/core';
import { deviceDrivers, type DeviceContext } from '@lxd-ts/devices';
import { linuxHost } from '@lxd-ts/host';
import { deviceSuite, instanceWith } from '../../packages/devices/src/testing/device-suite.ts';

const wait = { signal: AbortSignal.timeout(60_000) };
const bridge = `lxd${process.pid.toString(36).slice(-6)}`;
const find = (type: string) => deviceDrivers.find((driver) => driver.type === type)!;

const context = (dir: string, config: Config): DeviceContext => ({
  host: linuxHost(),
  dir,
  instance: instanceWith(config),
  name: 'd1',
  config,
  networks: { reserve: () => Promise.resolve(), release: () => Promise.resolve() },
  volumePath: () => '',
  randomId: () => 'abcd1234',
});

beforeAll(() => {
  execFileSync('ip', ['link', 'add', 'name', bridge, 'type', 'bridge']);
});
afterAll(() => {
  execFileSync('ip', ['link', 'delete', 'dev', bridge]);
});

describe('nic-bridged', () => {
  deviceSuite(() => ({
    driver: find('nic-bridged'),
    config: { type: 'nic', nictype: 'bridged', parent: bridge },
    dir: '/nowhere',
    left: () => readdirSync(`/sys/class/net/${bridge}/brif`),
    [Symbol.dispose]: () => undefined,
  }));

  test('a veth pair that a crash left is removed', async () => {
    const config = { type: 'nic', nictype: 'bridged', parent: bridge };
    const device = context('/nowhere', config);
    const veth = `${bridge}v`;
    execFileSync('ip', ['link', 'add', 'name', veth, 'type', 'veth']);
    const instance = { ...device.instance, config: { 'volatile.d1.host_name': veth } };
    await find('nic-bridged').stop({ ...device, instance }, wait);
    expect(existsSync(`/sys/class/net/${veth}`)).toBe(false);
  });
});

test.each([
  ['unix-char', '/dev/null', 'c 1:3 rwm'],
  ['unix-char', '/dev/zero', 'c 1:5 rwm'],
])('%s %s is made anew for the root inside', async (type, source, rule) => {
  const dir = mkdtempSync('/tmp/lxd-ts-devices-');
  try {
    const idmap = [{ Isuid: true, Isgid: true, Hostid: 1_000_000, Nsid: 0, Maprange: 65_536 }];
    const config = { type, source, mode: '0640' };
    const device = context(dir, config);
    const instance = { ...device.instance, config: { 'volatile.idmap.next': JSON.stringify(idmap) } };
    const started = await find(type).start({ ...device, instance }, wait);
    const node = lstatSync(join(dir, 'devices/c1/unix.d1'));
    expect([node.isCharacterDevice(), node.mode & 0o777, node.uid, node.gid]).toEqual([
      true,
      0o640,
      1_000_000,
      1_000_000,
    ]);
    expect(node.rdev).toBe(lstatSync(source).rdev);
    expect(started.lxc).toContainEqual(['lxc.cgroup.devices.allow', rule]);
    await find(type).stop({ ...device, instance }, wait);
    await find(type).stop({ ...device, instance }, wait);
    expect(readdirSync(join(dir, 'devices'))).toEqual([]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a device that is not there, or of another kind, is refused; an optional one is left out', async () => {
  const start = (type: string, config: Config) =>
    find(type).start(context('/nowhere', { type, ...config }), wait);
  await expect(start('unix-char', { source: '/dev/no-such' })).rejects.toThrow(/is not a character device/);
  await expect(start('unix-block', { source: '/dev/null' })).rejects.toThrow(/is not a block device/);
  expect(await start('unix-char', { source: '/dev/no-such', required: 'false' })).toEqual({
    lxc: [],
    volatile: {},
  });
});
