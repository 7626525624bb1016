import type { Step } from '../step.ts';

const volumes = '/1.0/storage-pools/default/volumes';
const plain = '/1.0/storage-pools/plain2/volumes';
const post = (name: string, body: object, path = volumes): Step => ({
  name: `block: ${name}`,
  rest: ['POST', path, { type: 'custom', ...body }],
});
const create = (name: string, config: object, path = volumes): Step =>
  post(`create ${name} with ${JSON.stringify(config)}`, { name, content_type: 'block', config }, path);
const get = (path: string): Step => ({ name: `block: GET ${path}`, rest: ['GET', path] });
const put = (name: string, body: object, path = `${volumes}/custom/k1`): Step => ({
  name: `block: ${name}`,
  rest: ['PUT', path, body],
});
const copy = (name: string, to: string, more: object, source: object, path = volumes): Step =>
  post(name, { name: to, ...more, source: { type: 'copy', ...source } }, path);
const lxc = (...args: string[]): Step => ({ name: `lxc ${args.join(' ')}`, lxc: args });
const volume = (...args: string[]): Step => lxc('storage', 'volume', ...args);
const k1 = { pool: 'default', name: 'k1' };
const refresh = { refresh: true };

/** Custom volumes of content type `block`. */
export const blockVolumes: Step[] = [
  { name: 'block: other pool', rest: ['POST', '/1.0/storage-pools', { name: 'plain2', driver: 'dir' }] },
  create('k1', { size: '8MiB', 'user.x': 'y', 'snapshots.pattern': 'a%d' }),
  create('k2', {}),
  create('k3', { size: '0' }),
  create('odd', { size: '1000' }),
  ...[
    'security.shifted',
    'security.unmapped',
    'volatile.idmap.last',
    'volatile.x',
    'block.filesystem',
    'wat',
  ].map((key) => create('kx', { [key]: 'true' })),
  create('kx', { size: '10%' }),
  create('k1', { size: '8MiB' }),
  post('of a type that is not', { name: 'kx', content_type: 'iso' }),
  post('of no type', { name: 'fs' }),
  get(`${volumes}/custom/k1`),
  get(`${volumes}/custom/k2`),
  get(`${volumes}/custom/k3`),

  put('grow', { config: { size: '16MiB' }, description: 'd' }),
  put('shrink', { config: { size: '4MiB' } }),
  put('to a size that is none', { config: { size: 'zz' } }),
  put('to what only files have', { config: { size: '16MiB', 'security.shifted': 'true' } }),
  get(`${volumes}/custom/k1`),
  put('without a size', { config: {} }),
  put('again with the size', { config: { size: '16MiB' } }),
  put('round', { config: { size: '2000' } }, `${volumes}/custom/odd`),

  { name: 'block: snapshot', rest: ['POST', `${volumes}/custom/k1/snapshots`, { name: 's0' }] },
  get(`${volumes}/custom/k1/snapshots/s0`),
  get(`${volumes}/custom/k1/snapshots?recursion=1`),
  put('grow after the snapshot', { config: { size: '24MiB' } }),
  put('restore', { restore: 's0' }),
  get(`${volumes}/custom/k1`),
  put('grow after the restore', { config: { size: '20MiB' } }),
  put('shrink after the restore', { config: { size: '8MiB' } }),

  copy('copy', 'c1', {}, k1),
  copy('copy as a filesystem', 'c2', { content_type: 'filesystem' }, { ...k1, volume_only: true }),
  get(`${volumes}/custom/c2`),
  copy('copy a filesystem as block', 'c3', { content_type: 'block' }, { pool: 'default', name: 'fs' }),
  get(`${volumes}/custom/c3`),
  copy('copy to larger', 'c4', { config: { size: '32MiB' } }, { ...k1, volume_only: true }),
  copy('copy to smaller', 'c5', { config: { size: '4MiB' } }, k1),
  get(`${volumes}/custom/c5`),
  copy('copy a snapshot', 'c6', {}, { pool: 'default', name: 'k1/s0' }),
  get(`${volumes}/custom/c6`),
  copy('copy to the other pool', 'o1', {}, k1, plain),
  copy(
    'copy to the other pool, smaller',
    'o2',
    { config: { size: '4MiB' } },
    { ...k1, volume_only: true },
    plain,
  ),
  get(`${plain}/custom?recursion=1`),
  put('grow what was copied', { config: { size: '28MiB' } }),
  copy('refresh', 'c1', {}, { ...k1, ...refresh }, `${volumes}/custom`),
  copy('refresh in the other pool', 'o1', {}, { ...k1, ...refresh }, `${plain}/custom`),
  get(`${volumes}/custom/c1`),
  get(`${plain}/custom/o1`),
  get(`${plain}/custom/o1/snapshots`),
  { name: 'block: rename', rest: ['POST', `${volumes}/custom/c1`, { name: 'c1r' }] },
  { name: 'block: move', rest: ['POST', `${volumes}/custom/c1r`, { name: 'c1m', pool: 'plain2' }] },
  get(`${plain}/custom/c1m`),
  get(`${plain}/custom/c1m/snapshots`),
  get(`${volumes}/custom?filter=content_type eq block`.replaceAll(' ', '%20')),
  get(`${volumes}/custom?filter=content_type eq filesystem`.replaceAll(' ', '%20')),

  lxc('init', 'busybox', 'v8'),
  volume('attach', 'default', 'k1', 'v8', 'data', '/data'),
  {
    name: 'block: disk of an instance',
    rest: [
      'PATCH',
      '/1.0/instances/v8',
      { devices: { data: { type: 'disk', pool: 'default', source: 'k1', path: '/data' } } },
    ],
  },
  {
    name: 'block: disk of a profile',
    rest: [
      'POST',
      '/1.0/profiles',
      { name: 'blocks', devices: { data: { type: 'disk', pool: 'default', source: 'k1', path: '/data' } } },
    ],
  },
  get(`${volumes}/custom/k1`),
  lxc('profile', 'add', 'v8', 'blocks'),
  volume('delete', 'default', 'k1'),
  lxc('profile', 'delete', 'blocks'),
  lxc('delete', 'v8'),

  volume('create', 'default', 'n1', '--type', 'block', 'size=5MiB'),
  volume('create', 'default', 'n2', '--type', 'wat'),
  volume('show', 'default', 'n1'),
  volume('show', 'default', 'k1/s0'),
  volume('set', 'default', 'n1', 'size', '1MiB'),
  volume('set', 'default', 'n1', 'size', '6MiB'),
  volume('get', 'default', 'n1', 'size'),
  volume('unset', 'default', 'n1', 'size'),
  volume('list', 'default', 'type=custom', '--format', 'csv'),
  volume('export', 'default', 'k1', '{dir}/k1.tar', '--compression', 'none'),
  volume('import', 'default', '{dir}/k1.tar', 'i1'),
  volume('import', 'plain2', '{dir}/k1.tar', 'i1'),
  get(`${volumes}/custom/i1`),
  get(`${plain}/custom/i1/snapshots?recursion=1`),
  ...['k1', 'k2', 'k3', 'odd', 'fs', 'c2', 'c3', 'c4', 'c6', 'n1', 'i1'].map((name) =>
    volume('delete', 'default', name),
  ),
  ...['o1', 'o2', 'c1m', 'i1'].map((name) => volume('delete', 'plain2', name)),
  get(`${volumes}/custom`),

  {
    name: 'block: pool with defaults',
    rest: [
      'PATCH',
      '/1.0/storage-pools/plain2',
      { config: { 'volume.size': '9MiB', 'volume.security.shifted': 'true' } },
    ],
  },
  create('z1', {}, plain),
  get(`${plain}/custom/z1`),
  volume('delete', 'plain2', 'z1'),
  { name: 'block: delete other pool', rest: ['DELETE', '/1.0/storage-pools/plain2'] },
];
