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
  { name: 'delete pool', rest: ['DELETE', `${pools}/plain`] },
  { name: 'delete pool twice', rest: ['DELETE', `${pools}/plain`] },
];
