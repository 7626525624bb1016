import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeJoinToken } from '@lxd-ts/rpc';
import { makeBusyboxImage } from '../support/busybox.ts';
import { run } from '../support/client.ts';
import { lxdTs } from '../support/daemon.ts';
import { Host, ip } from '../support/host.ts';
import { makeTemporary } from '../support/ground.ts';
import { Rest } from '../support/rest.ts';
import { waitFor } from '../support/wait-for.ts';

/** Three hosts on one machine: a control plane and two nodes, over gRPC with mutual TLS and a real etcd. */
const hub = 'lxt3';

let dir: string;
let control: Host;
let nodes: Host[];
let rest: Rest;
/** Of the last member that joined. */
let usedToken: string;

interface TokenMetadata {
  secret: string;
  fingerprint: string;
  addresses: string[];
}

interface Instance {
  name: string;
  status: string;
  location: string;
}
const list = async (): Promise<Instance[]> =>
  (await rest.must('GET', '/1.0/instances?recursion=1')).metadata as Instance[];
const pids = async (): Promise<number[]> =>
  Promise.all(
    (await list()).map(async ({ name }) => {
      const { metadata } = await rest.must('GET', `/1.0/instances/${name}/state`);
      return (metadata as { pid: number }).pid;
    }),
  );
const inside = async (name: string, ...command: string[]): Promise<string> =>
  (await run([lxdTs, 'exec', name, '--', ...command], { environment: { LXD_TS_DIR: control.dir } })).stdout;
const ready = () =>
  waitFor(
    'the control plane',
    () => rest.send('GET', '/internal/ready').catch(() => undefined),
    (answer) => answer?.status === 200,
  );
const online = (count: number) =>
  waitFor(
    'the members',
    async () => {
      const members = (await rest.must('GET', '/1.0/cluster/members?recursion=1')).metadata as {
        status: string;
      }[];
      return members.filter(({ status }) => status === 'Online').length;
    },
    (seen) => seen === count,
  );
const startControl = async (): Promise<void> => {
  control.start(
    '--role',
    'control-plane',
    '--cluster-address',
    '10.232.0.1:8444',
    '--offline-threshold',
    '3',
  );
  rest = new Rest(join(control.dir, 'unix.socket'));
  await ready();
};

beforeAll(async () => {
  dir = makeTemporary('hosts');
  ip('link', 'add', hub, 'type', 'bridge');
  ip('link', 'set', hub, 'up');
  control = new Host(hub, 'cp', join(dir, 'cp'), '10.232.0.1');
  nodes = [
    new Host(hub, 'n1', join(dir, 'n1'), '10.232.0.2'),
    new Host(hub, 'n2', join(dir, 'n2'), '10.232.0.3'),
  ];
  for (const host of [control, ...nodes]) await host.plugIn();
  await startControl();
  for (const node of nodes) {
    // Its operation lasts until the token is used.
    const { metadata } = await rest.send('POST', '/1.0/cluster/members', { server_name: node.name });
    const { secret, fingerprint, addresses } = (metadata as { metadata: TokenMetadata }).metadata;
    usedToken = encodeJoinToken({ server_name: node.name, secret, fingerprint, addresses, expires_at: '' });
    node.join(usedToken, '--role', 'node');
  }
  await online(3);
  await rest.must('POST', '/1.0/storage-pools', { name: 'p', driver: 'dir' });
  const config = { 'ipv4.address': '10.233.0.1/24', 'ipv6.address': 'none' };
  await rest.must('POST', '/1.0/networks', { name: 'lxdbr0', config });
  await rest.must('PUT', '/1.0/profiles/default', {
    devices: {
      root: { type: 'disk', path: '/', pool: 'p' },
      eth0: { type: 'nic', name: 'eth0', network: 'lxdbr0' },
    },
  });
  const image = readFileSync(makeBusyboxImage(join(dir, 'image')).unified);
  await rest.must('POST', '/1.0/images', image, {
    'Content-Type': 'application/octet-stream',
    'X-LXD-aliases': 'alias=bb',
  });
});

afterAll(async () => {
  for (const { name } of await list()) {
    await rest.must('PUT', `/1.0/instances/${name}/state`, { action: 'stop', force: true });
    await rest.must('DELETE', `/1.0/instances/${name}`);
  }
  await rest.must('PUT', '/1.0/profiles/default', { devices: {} });
  for (const url of (await rest.must('GET', '/1.0/images')).metadata as string[])
    await rest.must('DELETE', url);
  await rest.must('DELETE', '/1.0/networks/lxdbr0');
  await rest.must('DELETE', '/1.0/storage-pools/p');
  rest.close();
  for (const host of [...nodes, control]) await host.tearDown();
  ip('link', 'delete', hub);
  rmSync(dir, { recursive: true });
});

test('six launches are spread three and three, and each is used through the one API', async () => {
  const images = (await rest.must('GET', '/1.0/images')).metadata as string[];
  const fingerprint = images[0]?.split('/').at(-1) ?? '';
  for (let i = 1; i <= 6; i++) {
    await rest.must('POST', '/1.0/instances', { name: `c${i}`, source: { type: 'image', fingerprint } });
    await rest.must('PUT', `/1.0/instances/c${i}/state`, { action: 'start' });
  }
  const where = (await list()).map(({ location }) => location).sort();
  expect(where).toEqual(['n1', 'n1', 'n1', 'n2', 'n2', 'n2']);
  for (let i = 1; i <= 6; i++) expect(await inside(`c${i}`, 'hostname')).toBe(`c${i}\n`);
  expect(await inside('c1', 'sh', '-c', 'exit 0; true')).toBe('');
});

test("a node's own socket answers for the whole cluster", async () => {
  const node = nodes[0];
  if (!node) throw new Error('no node');
  const environment = { LXD_TS_DIR: node.dir };
  const elsewhere = (await list()).find(({ location }) => location !== node.name)?.name ?? '';
  const said = await run([lxdTs, 'exec', elsewhere, '--', 'hostname'], { environment });
  expect(said.stdout).toBe(`${elsewhere}\n`);
  const listed = await run([lxdTs, 'list', '--format', 'csv', '--columns', 'n'], { environment });
  expect(listed.stdout).toBe('c1\nc2\nc3\nc4\nc5\nc6\n');
});

const allRun = async (before: number[]): Promise<void> => {
  await waitFor(
    'the instances',
    list,
    (all) => all.length === 6 && all.every(({ status }) => status === 'Running'),
  );
  expect(await pids()).toEqual(before);
  expect(await inside('c1', 'hostname')).toBe('c1\n');
  expect(await inside('c2', 'hostname')).toBe('c2\n');
};

test('the control plane is killed: containers run on, and all is listed right after its restart', async () => {
  const before = await pids();
  await control.end('SIGKILL');
  await sleep(500);
  for (const pid of before) expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('init\n');
  await startControl();
  await online(3);
  await allRun(before);
});

test('an agent is killed: its containers run on and are adopted again', async () => {
  const before = await pids();
  await nodes[0]!.end('SIGKILL');
  await online(2);
  for (const pid of before) expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('init\n');
  nodes[0]!.start('--role', 'node');
  await online(3);
  await allRun(before);
});

/** Of a process, by the kernel's own account. */
function memoryLimit(pid: number): number {
  const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n');
  const v1 = groups.find((line) => line.split(':')[1] === 'memory')?.split(':')[2];
  const [path, file] =
    v1 === undefined
      ? [groups.find((line) => line.startsWith('0::'))?.slice(3) ?? '', 'memory.max']
      : [`memory${v1}`, 'memory.limit_in_bytes'];
  return Number(readFileSync(join('/sys/fs/cgroup', path, file), 'utf8'));
}

test('a member that is away keeps nobody from changing anything, and is up to date when it is back', async () => {
  const before = await pids();
  const all = await list();
  const away = all.findIndex(({ location }) => location === 'n1');
  const limit = 200 * 1024 ** 2;
  expect(memoryLimit(before[away]!)).not.toBe(limit);
  await nodes[0]!.end('SIGKILL');
  await online(2);
  expect((await list())[away]).toMatchObject({ status: 'Error' });
  await rest.must('PATCH', '/1.0/profiles/default', { config: { 'limits.memory': '200MiB' } });
  await rest.must('PATCH', '/1.0/networks/lxdbr0', { config: { 'ipv4.dhcp.expiry': '2h' } });
  await rest.must('POST', '/1.0/instances', { name: 'late', source: { type: 'none' } });
  const { metadata } = await rest.must('GET', '/1.0/instances/late');
  expect(metadata).toMatchObject({ location: 'n2' });
  await rest.must('DELETE', '/1.0/instances/late');
  nodes[0]!.start('--role', 'node');
  await online(3);
  await allRun(before);
  await waitFor(
    'the limit',
    () => Promise.resolve(memoryLimit(before[away]!)),
    (bytes) => bytes === limit,
  );
  expect(before.map(memoryLimit)).toEqual(before.map(() => limit));
  await rest.must('PATCH', '/1.0/profiles/default', { config: { 'limits.memory': '' } });
});

test('a link is cut: the member is offline, nobody waits for it, and all is as before when it is mended', async () => {
  const before = await pids();
  ip('link', 'set', 'lxt3n1', 'down');
  // Whether or not it is known yet: a list answers.
  await rest.must('GET', '/1.0/instances?recursion=2');
  await online(2);
  const away = (await list()).filter(({ location }) => location === 'n1');
  expect(away.map(({ status }) => status)).toEqual(away.map(() => 'Error'));
  const there = (await list()).find(({ location }) => location === 'n2')!;
  expect(await inside(there.name, 'hostname')).toBe(`${there.name}\n`);
  const change = { action: 'restart', force: true };
  const answer = await rest.call('PUT', `/1.0/instances/${away[0]!.name}/state`, change);
  expect(answer.error).toContain('offline');
  ip('link', 'set', 'lxt3n1', 'up');
  await online(3);
  await allRun(before);
});

test('etcd is killed: it is started again, nothing lost', async () => {
  const before = await pids();
  control.killEtcd();
  await rest.must('PATCH', '/1.0/profiles/default', { config: { 'user.after': 'etcd' } });
  await allRun(before);
});

test('a node that goes down stops its instances, and starts them again', async () => {
  const node = nodes[1];
  if (!node) throw new Error('no node');
  const own = async () => (await list()).filter(({ location }) => location === node.name);
  expect(await own()).toHaveLength(3);
  const before = await pids();
  await node.end('SIGPWR');
  expect((await own()).map(({ status }) => status)).toEqual(['Stopped', 'Stopped', 'Stopped']);
  expect(before.filter((pid) => existsSync(`/proc/${pid}`))).toHaveLength(3);
  node.start('--role', 'node');
  await waitFor('its instances', own, (all) => all.every(({ status }) => status === 'Running'));
});

test("a member's certificate is good for its agent, and for nothing else", async () => {
  const [node, other] = nodes;
  if (!node || !other) throw new Error('no nodes');
  const { identity } = JSON.parse(readFileSync(join(node.dir, 'member.json'), 'utf8')) as {
    identity: { certificate: string; key: string; authority: string };
  };
  const path = (part: string) => join(dir, `stolen.${part}`);
  for (const part of ['certificate', 'key', 'authority'] as const) writeFileSync(path(part), identity[part]);
  const own = ['--cert', path('certificate'), '--key', path('key')];
  for (const at of [control, node]) {
    const rest = await node.inside(['curl', '-sk', ...own, `https://${at.address}/1.0/instances`]);
    expect(JSON.parse(rest.stdout)).toMatchObject({ error_code: 403, error: 'not authorized' });
  }
  const tls = (name: string, with_: string[], to: Host, input: string) =>
    node.inside(
      ['openssl', 's_client', '-quiet', '-connect', to.address, '-servername', name, ...with_],
      input,
    );
  const mine = ['-cert', path('certificate'), '-key', path('key'), '-CAfile', path('authority')];
  // Nothing of another member without a ticket of its own, and nothing at all without a certificate.
  const bulk = await tls('bulk.lxd-ts', mine, other, `${'0'.repeat(64)}\n`);
  expect(bulk.stdout).toBe('-');
  for (const name of ['bulk.lxd-ts', 'control-plane.lxd-ts']) {
    const stranger = await tls(name, [], name.startsWith('bulk') ? other : control, 'x\n');
    expect(stranger.stdout).toBe('');
    expect(stranger.stderr).toMatch(/alert|error/i);
  }
});

test('a token is good once', async () => {
  const late = new Host(hub, 'n3', join(dir, 'n3'), '10.232.0.4');
  await late.plugIn();
  late.join(usedToken, '--role', 'node');
  expect(await late.exitCode()).toBe(1);
  await late.tearDown();
  const members = (await rest.must('GET', '/1.0/cluster/members')).metadata as string[];
  expect(members.map((url) => url.split('/').at(-1)).sort()).toEqual(['cp', 'n1', 'n2']);
});
