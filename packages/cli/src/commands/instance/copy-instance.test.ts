import type { Instance } from '@lxd-ts/client';
import { copyBody, type CopyFlags } from './copy-instance.ts';
import { parseMode } from './transfer.ts';

const original: Instance = {
  name: 'c1',
  type: 'container',
  architecture: 'x86_64',
  description: 'mine',
  config: {
    'limits.cpu': '1',
    'volatile.base_image': 'abc',
    'volatile.eth0.hwaddr': '00:16:3e:00:00:01',
    'volatile.uuid': 'u',
  },
  devices: { data: { type: 'disk', path: '/data', source: '/srv' } },
  expanded_config: {},
  expanded_devices: {
    data: { type: 'disk', path: '/data', source: '/srv' },
    root: { type: 'disk', path: '/', pool: 'default' },
  },
  profiles: ['default', 'web'],
  ephemeral: true,
  stateful: false,
  status: 'Running',
  status_code: 103,
  project: 'default',
  location: 'none',
  created_at: '',
  last_used_at: '',
};

const flags: CopyFlags = {
  'allow-inconsistent': false,
  config: [],
  device: [],
  'instance-only': false,
  mode: undefined,
  'no-profiles': false,
  profile: [],
  stateless: false,
  storage: undefined,
  target: undefined,
  'target-project': undefined,
};

const copying = { refresh: false, ephemeral: false, keepVolatile: false };

it('leaves what belongs to one instance only out of a copy, and takes it along in a move', () => {
  expect(copyBody(original, 'c2', flags, copying)).toMatchObject({
    name: 'c2',
    config: { 'limits.cpu': '1', 'volatile.base_image': 'abc' },
    profiles: ['default', 'web'],
    ephemeral: false,
  });
  const moved = copyBody(original, 'c1', flags, { ...copying, ephemeral: undefined, keepVolatile: true });
  expect(moved.config).toEqual(original.config);
  expect(moved['ephemeral']).toBe(true);
});

it('applies what the flags say', () => {
  const body = copyBody(
    original,
    'c2',
    { ...flags, config: ['limits.cpu=2'], device: ['root,size=1GiB'], storage: 'fast', profile: ['p'] },
    copying,
  );
  expect(body.config['limits.cpu']).toBe('2');
  expect(body.devices['root']).toEqual({ type: 'disk', path: '/', pool: 'fast', size: '1GiB' });
  expect(body['profiles']).toEqual(['p']);
  expect(copyBody(original, 'c2', { ...flags, 'no-profiles': true }, copying)['profiles']).toEqual([]);
});

it('knows three ways of going', () => {
  expect([parseMode(undefined), parseMode('push'), parseMode('relay')]).toEqual(['pull', 'push', 'relay']);
  expect(() => parseMode('carry')).toThrow('Invalid mode "carry"');
});
