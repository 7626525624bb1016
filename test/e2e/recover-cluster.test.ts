import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeBusyboxImage } from '../support/busybox.ts';
import { ownClient, type Client } from '../support/client.ts';
import { enableCluster, joinBy, startDaemonCluster, type Cluster } from '../support/cluster.ts';
import { lxdTs } from '../support/daemon.ts';
import { makeTemporary } from '../support/ground.ts';

jest.setTimeout(120_000);

/** A cluster has lost all but the pools of its members: a new one takes in what each of them has. */
let dir: string;
let cluster: Cluster;
let own: Client;

const names = ['m1', 'm2'];
const poolOf = (name: string) => join(dir, 'cluster', name, 'storage-pools/default');
const text = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await own(args);
  if (code !== 0) throw new Error(`${args.join(' ')}: ${code}\n${stdout}${stderr}`);
  return stdout;
};

beforeAll(async () => {
  dir = makeTemporary('recover-cluster');
  mkdirSync(join(dir, 'home'));
  cluster = await startDaemonCluster(join(dir, 'cluster'), names.length);
  own = ownClient(lxdTs, join(dir, 'cluster/m1'), join(dir, 'home'));
});

afterAll(async () => {
  for (const name of names) await own(['storage', 'volume', 'delete', 'default', 'data', '--target', name]);
  const left = await cluster.stopAll();
  rmSync(dir, { recursive: true, force: true });
  expect(left).toEqual([]);
});

async function makeInstances(): Promise<void> {
  await text('image', 'import', makeBusyboxImage(join(dir, 'image')).unified, '--alias', 'bb');
  for (const name of names) {
    await text('storage', 'volume', 'create', 'default', 'data', '--target', name);
    await text('init', 'bb', `on-${name}`, '--target', name);
    await text('storage', 'volume', 'attach', 'default', 'data', `on-${name}`, 'data', '/data');
    await text('start', `on-${name}`);
    await text(
      'exec',
      `on-${name}`,
      '--',
      'sh',
      '-c',
      `echo ${name} > /root/file; echo ${name} > /data/file`,
    );
    await text('stop', '-f', `on-${name}`);
    await text('snapshot', `on-${name}`, 'first');
  }
}

/** Every member dies and keeps nothing but its pool; then there is a cluster of the same members, with nothing on record. */
async function loseAll(): Promise<void> {
  for (const name of names) {
    await cluster.lose(name);
    const home = join(dir, 'cluster', name);
    for (const entry of readdirSync(home))
      if (entry !== 'storage-pools') rmSync(join(home, entry), { recursive: true });
  }
  const [first, second] = [await cluster.startHost(1), await cluster.startHost(2)];
  await enableCluster(first);
  await joinBy(first, second, []);
}

/** What a person types at `admin recover`, for the pool. */
const answers = (source: string): string => `yes\ndefault\ndir\n${source}\n\nno\nyes\nyes\n`;

test('a new cluster takes in what the pools of each member have', async () => {
  await makeInstances();
  await loseAll();
  expect(await text('list', '-f', 'csv')).toBe('');
  for (const name of names) {
    const { code, stdout, stderr } = await own(['admin', 'recover', '--target', name], {
      input: answers(poolOf(name)),
    });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(
      ` - Container "on-${name}" on pool "default" in project "default" (includes 1 snapshots)`,
    );
    expect(stdout).toContain(' - Volume "data" on pool "default"');
  }
  expect(await text('list', '-f', 'csv', '-c', 'nSL')).toBe('on-m1,1,m1\non-m2,1,m2\n');
  const volumes = JSON.parse(
    await text('query', '/1.0/storage-pools/default/volumes/custom?recursion=1'),
  ) as {
    name: string;
    location: string;
  }[];
  expect(volumes.map(({ name, location }) => [name, location]).sort()).toEqual(
    names.map((name) => ['data', name]),
  );
  for (const name of names) {
    await text('start', `on-${name}`);
    expect(await text('exec', `on-${name}`, '--', 'cat', '/root/file', '/data/file')).toBe(
      `${name}\n${name}\n`,
    );
    await text('stop', '-f', `on-${name}`);
    await text('delete', `on-${name}`);
  }
});

test('members that have nothing unknown are told so', async () => {
  const { stdout } = await own(['admin', 'recover', '--target', 'm2'], { input: 'no\nyes\n' });
  expect(stdout).toContain('No unknown volumes found');
  expect(readFileSync(join(poolOf('m2'), 'custom/default_data/file'), 'utf8')).toBe('m2\n');
});
