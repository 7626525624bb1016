import type { Step } from '../step.ts';

const pools = '/1.0/storage-pools';

export const storagePools: Step[] = [
  { name: 'no pools', rest: ['GET', pools] },
  { name: 'no pools, recursion', rest: ['GET', `${pools}?recursion=1`] },
  {
    name: 'create btrfs pool',
    rest: ['POST', pools, { name: 'default', driver: 'btrfs', config: { size: '3GiB' } }],
  },
  { name: 'create dir pool', rest: ['POST', pools, { name: 'plain', driver: 'dir', description: 'plain' }] },
  { name: 'pool twice', rest: ['POST', pools, { name: 'plain', driver: 'dir' }] },
  { name: 'pool without a name', rest: ['POST', pools, { driver: 'dir' }] },
  { name: 'pool without a driver', rest: ['POST', pools, { name: 'x' }] },
  { name: 'pool with a slash', rest: ['POST', pools, { name: 'a/b', driver: 'dir' }] },
  { name: 'unknown driver', rest: ['POST', pools, { name: 'x', driver: 'nope' }] },
  { name: 'unknown pool key', rest: ['POST', pools, { name: 'x', driver: 'dir', config: { nope: '1' } }] },
  { name: 'wrong pool size', rest: ['POST', pools, { name: 'x', driver: 'btrfs', config: { size: 'big' } }] },
  { name: 'get btrfs pool', rest: ['GET', `${pools}/default`] },
  { name: 'get dir pool', rest: ['GET', `${pools}/plain`] },
  { name: 'get unknown pool', rest: ['GET', `${pools}/nope`] },
  { name: 'list pools', rest: ['GET', pools] },
  { name: 'pool resources', rest: ['GET', `${pools}/plain/resources`] },
  { name: 'pool volumes', rest: ['GET', `${pools}/plain/volumes`] },
  { name: 'patch pool', rest: ['PATCH', `${pools}/plain`, { config: { 'rsync.bwlimit': '10MB' } }] },
  { name: 'patch pool with unknown key', rest: ['PATCH', `${pools}/plain`, { config: { nope: '1' } }] },
  {
    name: 'put pool',
    rest: [
      'PUT',
      `${pools}/plain`,
      { description: 'changed', config: { source: '{dir}/storage-pools/plain' } },
    ],
  },
  { name: 'get put pool', rest: ['GET', `${pools}/plain`] },
  ...['security.shifted', 'security.unmapped', 'snapshots.expiry', 'snapshots.schedule', 'wat'].map(
    (key): Step => ({
      name: `patch pool with volume.${key}`,
      rest: ['PATCH', `${pools}/plain`, { config: { [`volume.${key}`]: 'zz' } }],
    }),
  ),
  {
    name: 'patch pool with defaults of volumes',
    rest: [
      'PATCH',
      `${pools}/plain`,
      {
        config: { 'volume.snapshots.expiry': '2d', 'volume.snapshots.pattern': 'x%d', 'volume.size': '5MiB' },
      },
    ],
  },
  { name: 'volume with defaults', rest: ['POST', `${pools}/plain/volumes/custom`, { name: 'dv' }] },
  { name: 'get volume with defaults', rest: ['GET', `${pools}/plain/volumes/custom/dv`] },
  { name: 'get pool with defaults', rest: ['GET', `${pools}/plain`] },
  { name: 'delete volume with defaults', rest: ['DELETE', `${pools}/plain/volumes/custom/dv`] },
  { name: 'grow pool', rest: ['PATCH', `${pools}/default`, { config: { size: '4GiB' } }] },
  { name: 'get grown pool', rest: ['GET', `${pools}/default`] },
  { name: 'move pool', rest: ['PATCH', `${pools}/default`, { config: { source: '/nope' } }] },
  {
    name: 'pool of no directory',
    rest: ['POST', pools, { name: 'x', driver: 'dir', config: { source: '{dir}/nope' } }],
  },
  {
    name: 'pool of a full directory',
    rest: ['POST', pools, { name: 'x', driver: 'dir', config: { source: '/etc' } }],
  },
  {
    name: 'pool within the daemon',
    rest: ['POST', pools, { name: 'x', driver: 'dir', config: { source: '{dir}/storage-pools/default' } }],
  },
  {
    name: 'btrfs pool of nothing within the daemon',
    rest: ['POST', pools, { name: 'x', driver: 'btrfs', config: { source: '{dir}/disks/nope.img' } }],
  },
  {
    name: 'btrfs pool of a file',
    rest: ['POST', pools, { name: 'x', driver: 'btrfs', config: { source: '{dir}/disks/default.img' } }],
  },
  { name: 'delete pool', rest: ['DELETE', `${pools}/plain`] },
  { name: 'delete pool twice', rest: ['DELETE', `${pools}/plain`] },
];
