import type { Step } from '../step.ts';

type Call = [method: string, path: string, body?: unknown];

const calls = (all: readonly Call[]): Step[] =>
  all.map(([method, path, body]) => ({
    name: [method, path, body === undefined ? '' : JSON.stringify(body)].join(' ').trim(),
    rest: [method, path, body],
  }));

const lxc = (...lines: string[]): Step[] =>
  lines.map((line) => ({
    name: `lxc ${line}`,
    lxc: line.split(' '),
    // Members of a pool or network come in any order.
    ...(/^(storage|network) show/.test(line) ? { unordered: true as const } : {}),
  }));

const member = '/1.0/cluster/members';
const group = '/1.0/cluster/groups';
const own = { roles: ['database'], failure_domain: 'default', groups: ['default'] };

/** What a cluster of three says of itself and of its members. */
const members: Step[] = [
  ...calls([
    ['GET', '/1.0/cluster'],
    ['GET', member],
    ['GET', `${member}?recursion=1`],
    ['GET', `${member}/m1`],
    ['GET', `${member}/nope`],
    ['PUT', `${member}/m1`, { ...own, failure_domain: 'fd1', config: { 'user.x': '1' }, description: 'd' }],
    ['GET', `${member}/m1`],
    ['PUT', `${member}/m1`, { ...own, roles: ['database', 'wat'] }],
    ['PUT', `${member}/m1`, { ...own, roles: [] }],
    ['PUT', `${member}/m1`, { ...own, failure_domain: '' }],
    ['PUT', `${member}/m1`, { ...own, groups: [] }],
    ['PUT', `${member}/m1`, { ...own, groups: ['default', 'nope'] }],
    ['PUT', `${member}/m1`, { ...own, config: { wat: '1' } }],
    ['PUT', `${member}/m1`, { ...own, config: { 'scheduler.instance': 'wat' } }],
    ['PUT', `${member}/m1`, { ...own, config: { 'scheduler.instance': 'group' } }],
    ['PUT', `${member}/nope`, own],
    ['PATCH', `${member}/m1`, { ...own, config: { 'user.y': '2' } }],
    ['GET', `${member}/m1`],
    ['PUT', `${member}/m1`, { ...own, config: {} }],
    ['POST', `${member}/m2`, { server_name: 'm3' }],
    ['DELETE', `${member}/nope`],
    ['POST', `${member}/m2/state`, { action: 'wat' }],
    ['POST', `${member}/nope/state`, { action: 'evacuate' }],
    ['GET', '/1.0?target=nope'],
    ['GET', '/1.0/resources?target=nope'],
    ['PUT', '/1.0/cluster/certificate', {}],
    ['PUT', '/1.0/cluster', { enabled: true }],
    ['PATCH', '/1.0', { config: { 'cluster.join_token_expiry': 'wat' } }],
    ['PATCH', '/1.0', { config: { 'cluster.offline_threshold': '5' } }],
  ]),
  ...lxc(
    'cluster list',
    'cluster show m1',
    'cluster set m1 user.a=1',
    'cluster get m1 user.a',
    'cluster unset m1 user.a',
    'cluster role add m1 event-hub',
    'cluster show m1',
    'cluster role remove m1 event-hub',
    'cluster role remove m1 event-hub',
    'cluster show nope',
  ),
];

const groups: Step[] = [
  ...calls([
    ['GET', group],
    ['GET', `${group}?recursion=1`],
    ['GET', `${group}/nope`],
    ['POST', group, {}],
    ['POST', group, { name: 'default' }],
    ['POST', group, { name: 'a b' }],
    ['POST', group, { name: 'a/b' }],
    ['POST', group, { name: 'g1', members: ['nope'] }],
    ['POST', group, { name: 'g1', description: 'G', members: ['m1', 'm2'] }],
    ['POST', group, { name: 'g1' }],
    ['GET', `${group}/g1`],
    ['GET', `${member}/m1`],
    ['PUT', `${group}/g1`, { description: 'X', members: ['m2', 'm3'] }],
    ['GET', `${group}/g1`],
    ['PUT', `${group}/g1`, { description: 'X', members: ['nope'] }],
    ['PATCH', `${group}/g1`, { description: 'Y', members: ['m3'] }],
    ['GET', `${group}/g1`],
    ['PUT', `${group}/nope`, {}],
    ['PATCH', `${group}/nope`, {}],
    ['POST', `${group}/g1`, { name: 'g2' }],
    ['POST', `${group}/g2`, { name: 'default' }],
    ['POST', `${group}/nope`, { name: 'g3' }],
    ['POST', `${group}/default`, { name: 'g3' }],
    ['DELETE', `${group}/nope`],
    ['DELETE', `${group}/default`],
    ['DELETE', `${group}/g2`],
    ['PUT', `${group}/g2`, { members: [] }],
    ['DELETE', `${group}/g2`],
    ['GET', group],
  ]),
  ...lxc(
    'cluster group create g1',
    'cluster group assign m1 default,g1',
    'cluster group list',
    'cluster group show g1',
    'cluster group remove m1 g1',
    'cluster group remove m1 g1',
    'cluster group rename g1 g2',
    'cluster group delete g2',
    'cluster group delete g2',
  ),
];

const tokens: Step[] = [
  { name: 'lxc cluster add m9', lxc: ['cluster', 'add', 'm9'] },
  { name: 'lxc cluster add m9 again', lxc: ['cluster', 'add', 'm9'] },
  { name: 'lxc cluster list-tokens', lxc: ['cluster', 'list-tokens'] },
  { name: 'token operation', rest: ['POST', member, { server_name: 'm8' }], background: true },
  { name: 'lxc cluster revoke-token', lxc: ['cluster', 'revoke-token', 'm8'] },
  ...lxc('cluster revoke-token m9', 'cluster revoke-token m9', 'cluster list-tokens'),
];

const pool = '/1.0/storage-pools';
const p1 = { name: 'p1', driver: 'dir' };

const pools: Step[] = [
  ...calls([
    ['GET', `${pool}/default`],
    ['GET', `${pool}/default?target=m2`],
    ['GET', `${pool}?recursion=1`],
    ['POST', `${pool}?target=nope`, p1],
    ['POST', `${pool}?target=m1`, { name: 'p1' }],
    ['POST', `${pool}?target=m1`, { name: 'p1', driver: 'wat' }],
    ['POST', `${pool}?target=m1`, { ...p1, config: { 'rsync.bwlimit': '1' } }],
    ['POST', `${pool}?target=m1`, p1],
    ['GET', `${pool}/p1`],
    ['GET', `${pool}/p1?target=m1`],
    ['GET', `${pool}/p1?target=m2`],
    ['GET', `${pool}/p1?target=nope`],
    ['POST', `${pool}?target=m1`, p1],
    ['POST', `${pool}?target=m2`, { name: 'p1', driver: 'btrfs' }],
    ['POST', pool, p1],
    ['POST', `${pool}?target=m2`, p1],
    ['POST', `${pool}?target=m3`, p1],
    ['PATCH', `${pool}/p1`, { description: 'x' }],
    ['PATCH', `${pool}/p1?target=m3`, { config: { 'rsync.bwlimit': '1' } }],
    ['POST', pool, { name: 'p1', driver: 'btrfs' }],
    ['POST', pool, { ...p1, config: { source: '/tmp/zz' } }],
    ['POST', pool, { ...p1, config: { 'rsync.bwlimit': '1' }, description: 'D' }],
    ['GET', `${pool}/p1`],
    ['GET', `${pool}/p1?target=m2`],
    ['GET', `${pool}?recursion=1`],
    ['POST', `${pool}?target=m3`, p1],
    ['POST', pool, p1],
    ['GET', `${pool}/p1/resources?target=m2`],
    ['GET', `${pool}/p1/resources?target=nope`],
    ['PUT', `${pool}/p1`, { config: { 'rsync.bwlimit': '2' }, description: 'E' }],
    ['PUT', `${pool}/p1?target=m2`, { config: { source: '/x' } }],
    ['PATCH', `${pool}/p1?target=m2`, { config: { 'rsync.bwlimit': '3' } }],
    ['PATCH', `${pool}/p1?target=m2`, { config: { 'user.m': '3' } }],
    ['PATCH', `${pool}/p1`, { config: { 'user.a': '3' } }],
    ['PATCH', `${pool}/p1`, { config: { wat: '3' } }],
    ['PATCH', `${pool}/p1`, { config: { source: '/q' } }],
    ['GET', `${pool}/p1`],
    ['GET', '/1.0/cluster'],
    ['DELETE', `${pool}/p1`],
    ['GET', `${pool}/p1`],
    ['POST', `${pool}?target=m1`, { name: 'p2', driver: 'dir' }],
    ['DELETE', `${pool}/p2`],
  ]),
  ...lxc(
    'storage create b1 btrfs size=300MiB --target m1',
    'storage create b1 btrfs size=310MiB --target m2',
    'storage list',
    'storage create b1 btrfs',
    'storage create b1 btrfs size=320MiB --target m3',
    'storage create b1 btrfs btrfs.mount_options=noatime',
    'storage show b1',
    'storage show b1 --target m2',
    'storage get b1 size --target m3',
    'storage set b1 user.x=1',
    'storage get b1 user.x',
    'storage delete b1',
  ),
];

const network = '/1.0/networks';
const n1 = { name: 'n1', type: 'bridge' };

const networks: Step[] = [
  ...calls([
    ['GET', `${network}/lxdbr0`],
    ['GET', `${network}/lxdbr0?target=m2`],
    ['POST', `${network}?target=nope`, n1],
    ['POST', `${network}?target=m1`, { name: 'n1', type: 'wat' }],
    ['POST', `${network}?target=m1`, { ...n1, config: { 'ipv4.address': '10.1.1.1/24' } }],
    ['POST', `${network}?target=m1`, n1],
    ['GET', `${network}/n1`],
    ['GET', `${network}/n1?target=m1`],
    ['GET', `${network}/n1?target=m2`],
    ['GET', `${network}/n1?target=nope`],
    ['POST', `${network}?target=m1`, n1],
    ['POST', network, n1],
    ['POST', `${network}?target=m2`, n1],
    ['POST', `${network}?target=m3`, n1],
    ['PATCH', `${network}/n1`, { config: { 'ipv4.nat': 'true' } }],
    ['POST', network, { ...n1, config: { 'bridge.external_interfaces': 'x' } }],
    [
      'POST',
      network,
      { ...n1, config: { 'ipv4.address': '10.1.1.1/24', 'ipv6.address': 'none' }, description: 'D' },
    ],
    ['GET', `${network}/n1`],
    ['GET', `${network}/n1?target=m2`],
    ['GET', `${network}/n1/state?target=nope`],
    ['POST', network, n1],
    ['POST', `${network}?target=m1`, n1],
    ['PATCH', `${network}/n1?target=m2`, { config: { 'ipv4.nat': 'false' } }],
    ['PATCH', `${network}/n1?target=m2`, { config: { 'user.x': 'zz' } }],
    ['PATCH', `${network}/n1`, { config: { 'ipv4.nat': 'false' } }],
    ['GET', `${network}/n1`],
    ['POST', `${network}/n1`, { name: 'n2' }],
    ['DELETE', `${network}/n1`],
    ['GET', `${network}/n1`],
  ]),
  ...lxc(
    'network create n2 --target m1',
    'network create n2 --target m2',
    'network create n2 --target m3',
    'network show n2 --target m2',
    'network create n2 ipv4.address=10.2.2.1/24 ipv6.address=none',
    'network list',
    'network show n2',
    'network set n2 ipv4.nat=true',
    'network delete n2',
  ),
];

/** Instances on members, and members without them. */
const evacuation: Step[] = [
  { name: 'upload', rest: ['POST', '/1.0/images'], upload: 'unified' },
  { name: 'alias', rest: ['POST', '/1.0/images/aliases', { name: 'bb', target: '{fingerprint}' }] },
  ...lxc(
    'launch bb c1 --target m2',
    'init bb c2 --target m2',
    'launch bb c3 --target m2 -c cluster.evacuate=stop',
    'launch bb c4 --target m1',
    'launch bb c5 --target nope',
    'launch bb c5 --target @nope',
    'list -c nsL',
    'exec c1 -- hostname',
    'config set c1 cluster.evacuate=wat',
    'cluster remove m2',
    'cluster evacuate m2 --force',
  ),
  ...calls([['GET', `${member}/m2`]]),
  ...lxc('cluster evacuate m2 --force', 'start c3', 'launch bb c6 --target m2', 'cluster list'),
  ...calls([['GET', '/1.0/instances/c3']]),
  ...lxc('cluster restore m2 --force', 'cluster restore m2 --force', 'list -c nsL'),
  ...calls([['GET', `${member}/m2`]]),
  ...lxc('delete -f c1 c2 c3 c4', 'cluster remove m3', 'cluster list'),
  ...calls([
    ['GET', `${pool}/default`],
    ['GET', `${network}/lxdbr0`],
  ]),
];

export const clusterChapters: Readonly<Record<string, readonly Step[]>> = {
  members,
  groups,
  tokens,
  'storage pools in a cluster': pools,
  'networks in a cluster': networks,
  evacuation,
};
