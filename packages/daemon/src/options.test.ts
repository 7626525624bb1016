import { parseOptions } from './options.ts';

test('takes the directory from the flag, then the environment, then the default', () => {
  expect(parseOptions(['--dir', '/a'], { LXD_TS_DIR: '/b' })).toMatchObject({ dir: '/a' });
  expect(parseOptions([], { LXD_TS_DIR: '/b', LXD_DIR: '/c' })).toMatchObject({ dir: '/b' });
  expect(parseOptions([], { LXD_DIR: '/c' })).toMatchObject({ dir: '/c' });
  expect(parseOptions([], {})).toMatchObject({ dir: '/var/lib/lxd-ts', roles: ['control-plane', 'node'] });
});

test('names the flag that is wrong', () => {
  expect(() => parseOptions(['--role', 'boss'], {})).toThrow('--role: "boss" is not a role');
  expect(() => parseOptions(['--cluster-address', 'here'], {})).toThrow(
    '--cluster-address: "here" is not HOST:PORT',
  );
  expect(() => parseOptions(['--nonsense'], {})).toThrow('--nonsense');
  expect(() => parseOptions(['--join-token', 'x'], {})).toThrow('--cluster-address');
});

test('help and version win', () => {
  expect(parseOptions(['--help', '--role', 'boss'], {})).toBe('help');
  expect(parseOptions(['--version'], {})).toBe('version');
});
