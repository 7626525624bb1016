import type { InstanceSpec } from '@lxd-ts/core';
import { lxcConfig, lxcConfigText, type HostFeatures } from './lxc-config.ts';
import { instancePaths } from './paths.ts';

const host: HostFeatures = {
  cgroup: 'v1',
  cpus: 2,
  memoryBytes: 1024 ** 3,
  cgroupFiles: new Set(),
  apparmor: false,
  lxcfs: { mountPoint: '/var/lib/lxcfs', files: ['proc/meminfo'] },
  binds: ['/dev/fuse'],
};
const bare: InstanceSpec = {
  project: 'default',
  name: 'c1',
  type: 'container',
  architecture: 'x86_64',
  ephemeral: false,
  config: {},
  devices: {},
  pools: {},
  networks: {},
};

function config(
  spec: Partial<InstanceSpec>,
  devices: [string, string][][] = [],
  features = host,
  mapped = false,
) {
  return lxcConfig({
    mapped,
    spec: { ...bare, ...spec },
    dir: '/d',
    paths: instancePaths('/d', bare),
    rootfs: '/d/storage-pools/default/containers/c1/rootfs',
    host: features,
    cgroups: { monitor: 'm', payload: 'p', pivot: 'v' },
    limits: [],
    devlxd: '/d/devlxd/1',
    devices,
  });
}
const values = (items: readonly (readonly [string, string])[], key: string) =>
  items.filter(([k]) => k === key).map(([, value]) => value);

test('unprivileged: ids are mapped, of the process and of the files', () => {
  const items = config({});
  expect(values(items, 'lxc.idmap')).toEqual(['u 0 1000000 1000000000', 'g 0 1000000 1000000000']);
  expect(values(items, 'lxc.rootfs.options')).toEqual(['idmap=container']);
  expect(values(items, 'lxc.net.0.type')).toEqual(['empty']);
});

test('unprivileged, on a root that shows with its ids already: only the process is mapped', () => {
  const items = config({}, [], host, true);
  expect(values(items, 'lxc.idmap')).toHaveLength(2);
  expect(values(items, 'lxc.rootfs.options')).toEqual([]);
});

test('privileged: no map, and capabilities over the host are dropped', () => {
  const items = config({ config: { 'security.privileged': 'true' } });
  expect(values(items, 'lxc.idmap')).toEqual([]);
  expect(values(items, 'lxc.rootfs.options')).toEqual([]);
  expect(values(items, 'lxc.cap.drop')[0]).toContain('sys_module');
});

test('every device is denied before some are allowed', () => {
  const keys = config({}).map(([key, value]) => `${key} ${value}`);
  const deny = keys.indexOf('lxc.cgroup.devices.deny a');
  expect(deny).toBeGreaterThan(0);
  expect(keys.findIndex((key) => key.startsWith('lxc.cgroup.devices.allow'))).toBeGreaterThan(deny);
  expect(config({}, [], { ...host, cgroup: 'v2' })).toContainEqual(['lxc.cgroup2.devices.deny', 'a']);
});

test('NICs are numbered in order, other devices take no number', () => {
  const nic = (name: string): [string, string][] => [
    ['lxc.net.{index}.type', 'veth'],
    ['lxc.net.{index}.name', name],
  ];
  const items = config({ devices: { eth0: { type: 'nic' }, eth1: { type: 'nic' } } }, [
    nic('eth0'),
    [['lxc.mount.entry', '/a b none bind 0 0']],
    nic('eth1'),
  ]);
  expect(values(items, 'lxc.net.0.name')).toEqual(['eth0']);
  expect(values(items, 'lxc.net.1.name')).toEqual(['eth1']);
  expect(values(items, 'lxc.net.0.type')).toEqual(['veth']);
});

test('no value can bring a line of its own', () => {
  expect(() => config({ config: { 'environment.A': 'x\nlxc.hook.pre-start = /bin/evil' } })).toThrow(
    /line break/,
  );
  expect(() => config({}, [[['lxc.mount.entry', 'a\0b']]])).toThrow(/line break/);
});

test('nesting, AppArmor, environment', () => {
  const nested = config({ config: { 'security.nesting': 'true', 'environment.LANG': 'C.UTF-8' } }, [], {
    ...host,
    apparmor: true,
  });
  expect(values(nested, 'lxc.mount.auto')).toEqual(['proc:rw sys:rw cgroup:rw:force']);
  expect(values(nested, 'lxc.apparmor.allow_nesting')).toEqual(['1']);
  expect(values(nested, 'lxc.environment')).toEqual(['LANG=C.UTF-8']);
  expect(values(config({}), 'lxc.apparmor.profile')).toEqual([]);
});

test('as text, raw.lxc last', () => {
  expect(lxcConfigText([['lxc.uts.name', 'c1']], undefined)).toBe('lxc.uts.name = c1\n');
  expect(lxcConfigText([['lxc.uts.name', 'c1']], 'lxc.uts.name = x')).toBe(
    'lxc.uts.name = c1\nlxc.uts.name = x\n',
  );
});
