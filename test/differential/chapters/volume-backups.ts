import type { Step } from '../step.ts';

const volumes = '/1.0/storage-pools/default/volumes/custom';
const path = `${volumes}/vb/backups`;
const octets = { 'Content-Type': 'application/octet-stream' };
const lxc = (...args: string[]): Step => ({
  name: `lxc storage volume ${args.join(' ')}`,
  lxc: ['storage', 'volume', ...args],
});

export const volumeBackups: Step[] = [
  { name: 'volume to back up', rest: ['POST', volumes, { name: 'vb', config: { 'user.a': 'b' } }] },
  { name: 'its snapshot', rest: ['POST', `${volumes}/vb/snapshots`, { name: 's1' }] },
  { name: 'no backups of volume', rest: ['GET', path] },
  { name: 'back up volume', rest: ['POST', path, { name: 'b1' }] },
  { name: 'back up volume without a name', rest: ['POST', path, {}] },
  {
    name: 'back up volume alone, uncompressed, until',
    rest: [
      'POST',
      path,
      { name: 'b2', volume_only: true, compression_algorithm: 'none', expires_at: '2035-01-02T03:04:05Z' },
    ],
  },
  { name: 'back up volume twice', rest: ['POST', path, { name: 'b1' }] },
  { name: 'back up volume with a slash', rest: ['POST', path, { name: 'a/b' }] },
  {
    name: 'back up volume, unknown compression',
    rest: ['POST', path, { name: 'b3', compression_algorithm: 'x' }],
  },
  { name: 'back up no volume', rest: ['POST', `${volumes}/nope/backups`, { name: 'b1' }] },
  {
    name: 'back up volume of no pool',
    rest: ['POST', '/1.0/storage-pools/nope/volumes/custom/vb/backups', {}],
  },
  {
    name: 'back up volume of another type',
    rest: ['POST', '/1.0/storage-pools/default/volumes/image/vb/backups', {}],
  },
  { name: 'list backups of volume', rest: ['GET', path] },
  { name: 'list backups of volume, recursion 1', rest: ['GET', `${path}?recursion=1`] },
  { name: 'list backups of no volume', rest: ['GET', `${volumes}/nope/backups`] },
  { name: 'get backup of volume', rest: ['GET', `${path}/b2`] },
  { name: 'get unknown backup of volume', rest: ['GET', `${path}/nope`] },
  { name: 'export unknown backup of volume', rest: ['GET', `${path}/nope/export`] },
  { name: 'rename backup of volume', rest: ['POST', `${path}/b2`, { name: 'r2' }] },
  { name: 'rename backup of volume with a slash', rest: ['POST', `${path}/r2`, { name: 'a/b' }] },
  { name: 'rename unknown backup of volume', rest: ['POST', `${path}/nope`, { name: 'x' }] },
  { name: 'get renamed backup of volume', rest: ['GET', `${path}/r2`] },
  { name: 'delete backup of volume', rest: ['DELETE', `${path}/r2`] },
  { name: 'delete unknown backup of volume', rest: ['DELETE', `${path}/r2`] },
  { name: 'import no volume', rest: ['POST', volumes, '', octets] },
  { name: 'import volume of no backup', rest: ['POST', volumes, 'nothing of the kind', octets] },
  lxc('export', 'default', 'vb', '{dir}/vb.tar.gz', '-q'),
  lxc('export', 'default', 'nope', '{dir}/nope.tar.gz', '-q'),
  lxc('import', 'nope', '{dir}/vb.tar.gz', 'vi', '-q'),
  lxc('import', 'default', '{dir}/vb.tar.gz', 'vi', '-q'),
  lxc('import', 'default', '{dir}/nope.tar.gz', '-q'),
  lxc('show', 'default', 'vi'),
  lxc('show', 'default', 'vi/s1'),
  { name: 'rename volume with backups', rest: ['POST', `${volumes}/vb`, { name: 'vc' }] },
  { name: 'list backups of renamed volume', rest: ['GET', `${volumes}/vc/backups`] },
  { name: 'delete backup b1 of volume', rest: ['DELETE', `${volumes}/vc/backups/b1`] },
  lxc('delete', 'default', 'vi'),
  lxc('delete', 'default', 'vc'),
];
