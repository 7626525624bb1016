import type { Step } from '../step.ts';

const path = '/1.0/instances/c1/snapshots';
const copy = (name: string, source: object) => ({
  name,
  profiles: ['default'],
  source: { type: 'copy', ...source },
});

export const snapshots: Step[] = [
  { name: 'no snapshots', rest: ['GET', path] },
  { name: 'take snapshot', rest: ['POST', path, { name: 's1' }] },
  { name: 'take snapshot without a name', rest: ['POST', path, {}] },
  {
    name: 'take snapshot that expires',
    rest: ['POST', path, { name: 's3', expires_at: '2030-01-02T03:04:05Z' }],
  },
  { name: 'take snapshot twice', rest: ['POST', path, { name: 's1' }] },
  { name: 'take snapshot with a slash', rest: ['POST', path, { name: 'a/b' }] },
  { name: 'take snapshot with a space', rest: ['POST', path, { name: 'a b' }] },
  { name: 'take stateful snapshot', rest: ['POST', path, { name: 's4', stateful: true }] },
  { name: 'take snapshot of nothing', rest: ['POST', '/1.0/instances/nope/snapshots', { name: 's1' }] },
  { name: 'list snapshots', rest: ['GET', path] },
  { name: 'list snapshots by the older name', rest: ['GET', '/1.0/containers/c1/snapshots'] },
  { name: 'list snapshots, recursion 1', rest: ['GET', `${path}?recursion=1`] },
  { name: 'list snapshots of nothing', rest: ['GET', '/1.0/instances/nope/snapshots'] },
  { name: 'get snapshot', rest: ['GET', `${path}/s3`] },
  { name: 'get unknown snapshot', rest: ['GET', `${path}/nope`] },
  ...[
    'container',
    'container?recursion=1',
    'container/c1/snapshots',
    'container/c1/snapshots?recursion=1',
  ].map((rest): Step => ({
    name: `GET root volumes ${rest}`,
    rest: ['GET', `/1.0/storage-pools/default/volumes/${rest}`],
  })),
  {
    name: 'GET root volume of snapshot',
    rest: ['GET', '/1.0/storage-pools/default/volumes/container/c1/snapshots/s3'],
  },
  {
    name: 'GET root volume of no snapshot',
    rest: ['GET', '/1.0/storage-pools/default/volumes/container/c1/snapshots/nope'],
  },
  { name: 'pool in use by snapshots', rest: ['GET', '/1.0/storage-pools/default'] },
  { name: 'get instance with snapshots', rest: ['GET', '/1.0/instances/c1?recursion=1'] },
  { name: 'put snapshot', rest: ['PUT', `${path}/s1`, { expires_at: '2031-01-02T03:04:05Z' }] },
  { name: 'put unknown snapshot', rest: ['PUT', `${path}/nope`, { expires_at: '2031-01-02T03:04:05Z' }] },
  { name: 'get put snapshot', rest: ['GET', `${path}/s1`] },
  { name: 'rename snapshot to taken', rest: ['POST', `${path}/s1`, { name: 's3' }] },
  { name: 'rename snapshot with a slash', rest: ['POST', `${path}/s1`, { name: 'a/b' }] },
  { name: 'rename unknown snapshot', rest: ['POST', `${path}/nope`, { name: 'x' }] },
  { name: 'rename snapshot', rest: ['POST', `${path}/s1`, { name: 'r1' }] },
  { name: 'restore unknown snapshot', rest: ['PUT', '/1.0/instances/c1', { restore: 'nope' }] },
  { name: 'restore snapshot', rest: ['PUT', '/1.0/instances/c1', { restore: 'r1' }] },
  { name: 'get restored', rest: ['GET', '/1.0/instances/c1'] },
  { name: 'copy with snapshots', rest: ['POST', '/1.0/instances', copy('k1', { source: 'c1' })] },
  {
    name: 'copy without snapshots',
    rest: ['POST', '/1.0/instances', copy('k2', { source: 'c1', instance_only: true })],
  },
  { name: 'copy of a snapshot', rest: ['POST', '/1.0/instances', copy('k3', { source: 'c1/r1' })] },
  {
    name: 'copy of an unknown snapshot',
    rest: ['POST', '/1.0/instances', copy('k4', { source: 'c1/nope' })],
  },
  { name: 'snapshots of copy', rest: ['GET', '/1.0/instances/k1/snapshots'] },
  { name: 'snapshots of lone copy', rest: ['GET', '/1.0/instances/k2/snapshots'] },
  { name: 'delete snapshot', rest: ['DELETE', `${path}/r1`] },
  { name: 'refresh', rest: ['POST', '/1.0/instances', copy('k1', { source: 'c1', refresh: true })] },
  { name: 'snapshots of refreshed', rest: ['GET', '/1.0/instances/k1/snapshots'] },
  { name: 'rename instance with snapshots', rest: ['POST', '/1.0/instances/k1', { name: 'k5' }] },
  { name: 'snapshots of renamed', rest: ['GET', '/1.0/instances/k5/snapshots'] },
  { name: 'delete snapshot of nothing', rest: ['DELETE', `${path}/nope`] },
  { name: 'lxc snapshot', lxc: ['snapshot', 'c1', 'x1'] },
  { name: 'lxc snapshot --reuse', lxc: ['snapshot', 'c1', 'x1', '--reuse'] },
  { name: 'lxc restore', lxc: ['restore', 'c1', 'x1'] },
  { name: 'lxc move snapshot', lxc: ['move', 'c1/x1', 'c1/x2'] },
  { name: 'lxc delete snapshot', lxc: ['delete', 'c1/x2'] },
  ...['k2', 'k3', 'k5'].map((name): Step => ({
    name: `delete ${name}`,
    rest: ['DELETE', `/1.0/instances/${name}`],
  })),
  ...['snap0', 's3'].map((name): Step => ({
    name: `delete c1/${name}`,
    rest: ['DELETE', `${path}/${name}`],
  })),
];
