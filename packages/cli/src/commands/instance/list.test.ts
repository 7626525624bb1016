import type { InstanceFull } from '@lxd-ts/client';
import { addresses, parseColumns } from './list-columns.ts';
import { keyMatches, parseFilter } from './list-filters.ts';

const nic = (family: string, address: string, scope = 'global') => ({
  family,
  address,
  netmask: '24',
  scope,
});

const instance = {
  name: 'web1',
  status: 'Running',
  type: 'container',
  architecture: 'x86_64',
  location: 'node1',
  ephemeral: true,
  profiles: ['default', 'web'],
  config: { 'volatile.base_image': '0123456789abcdef' },
  expanded_config: { 'security.privileged': 'true', 'user.note': 'hello world' },
  expanded_devices: { disk0: { type: 'disk', path: '/', pool: 'fast' } },
  state: {
    network: {
      lo: { addresses: [nic('inet', '127.0.0.1', 'local')] },
      eth0: {
        addresses: [nic('inet', '10.0.0.7'), nic('inet6', 'fd00::7'), nic('inet6', 'fe80::7', 'link')],
      },
      eth1: { addresses: [nic('inet', '10.1.0.7')] },
    },
    memory: { usage: 1024 },
    cpu: { usage: 2.5e9 },
  },
  snapshots: null,
} as unknown as InstanceFull;

const cell = (column: string): string => parseColumns(column)[0]?.cell(instance) ?? '';

describe('columns', () => {
  it.each([
    ['n', 'web1'],
    ['s', 'RUNNING'],
    ['t', 'CONTAINER (EPHEMERAL)'],
    ['4', '10.1.0.7 (eth1)\n10.0.0.7 (eth0)'],
    ['6', 'fd00::7 (eth0)'],
    ['b', 'fast'],
    ['f', '0123456789ab'],
    ['P', 'default\nweb'],
    ['S', '0'],
    ['u', '2s'],
    ['m', '1.00KiB'],
    ['user.note', 'hello world'],
    ['user.note:NOTE:5', 'hello'],
    ['devices:disk0.pool', 'fast'],
  ])('%s is %j', (column, shown) => {
    expect(cell(column)).toBe(shown);
  });

  it('names custom columns', () => {
    expect(parseColumns('ns,user.note,config:image.os:system').map(({ title }) => title)).toEqual([
      'NAME',
      'STATE',
      'USER NOTE',
      'SYSTEM',
    ]);
  });

  it.each([
    ['nz', "Unknown column shorthand char 'z' in 'nz'"],
    ['n,,s', 'Empty column entry'],
    ['user.note:X:wide', 'Invalid max width'],
    ['devices:eth0', 'device.option'],
  ])('refuses %s', (text, message) => {
    expect(() => parseColumns(text)).toThrow(message);
  });

  it('hides loopback and link-local addresses', () => {
    expect(addresses(instance, 'inet6')).toEqual(['fd00::7 (eth0)']);
  });
});

describe('filters', () => {
  it.each([
    ['web', true],
    ['eb1', false],
    ['.*b1', true],
    ['status=running', true],
    ['status=stopped,running', true],
    ['type=virtual-machine', false],
    ['s.priv=true', true],
    ['user.note=hello.*', true],
    ['user.note=hello', false],
    ['ipv4=10.1.0.0/16', true],
    ['ipv4=10.9.0.0/16', false],
    ['ipv6=fd00::7', true],
    ['location=node1', true],
  ])('%s matches: %s', (filter, matches) => {
    expect(parseFilter(filter).matches(instance)).toBe(matches);
  });

  it('shortens keys part by part', () => {
    expect(keyMatches('u.n', 'user.note')).toBe(true);
    expect(keyMatches('u', 'user.note')).toBe(false);
  });

  it('refuses what is no expression or no network', () => {
    expect(() => parseFilter('(')).toThrow('Invalid regular expression');
    expect(() => parseFilter('ipv4=nowhere')).toThrow('Invalid address');
  });
});
