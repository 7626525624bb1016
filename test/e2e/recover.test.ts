import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBusyboxImage } from '../support/busybox.ts';
import { ownClient, run, stockClient, type Client, type Result } from '../support/client.ts';
import { lxdTs } from '../support/daemon.ts';
import { makeTemporary } from '../support/ground.ts';
import { HostDaemon } from '../support/host-daemon.ts';
import { referenceMissing, startReference, stockClientMissing } from '../support/reference.ts';

jest.setTimeout(120_000);

/** The database is lost: what is in the pools is taken in again, with all that was in it. */
let dir: string;
let daemon: HostDaemon;
let own: Client;

const must = (method: string, path: string, body?: unknown) => daemon.rest.must(method, path, body);
const get = async <T>(path: string): Promise<T> => (await must('GET', path)).metadata as T;
const text = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await own(args);
  if (code !== 0) throw new Error(`${args.join(' ')}: ${code}\n${stdout}${stderr}`);
  return stdout;
};
const inside = (name: string, script: string) => text('exec', name, '--', 'sh', '-c', script);
const stockMissing = referenceMissing() ?? stockClientMissing();

const poolsOf = () => [
  { name: 'b', driver: 'btrfs', config: { source: join(daemon.dir, 'disks/b.img'), size: '1GiB' } },
  { name: 'd', driver: 'dir', config: { source: join(daemon.dir, 'storage-pools/d') } },
];

/** What a person types: these pools, no more of them, go on, and yes. */
const answers = (pools: { name: string; driver: string; config: Record<string, string> }[]): string =>
  `${pools
    .flatMap(({ name, driver, config: { source = '', ...more } }) => [
      ...['yes', name, driver, source],
      ...Object.entries(more).map(([key, value]) => `${key}=${value}`),
      '',
    ])
    .join('\n')}\nno\nyes\nyes\n`;

async function loseDatabase(): Promise<void> {
  await daemon.end('SIGTERM');
  rmSync(join(daemon.dir, 'etcd'), { recursive: true });
  await daemon.start();
}

/** Every file of a pool, and when any of it changed last. */
const disk = (pool: string): string =>
  execFileSync('find', [join(daemon.dir, 'storage-pools', pool), '-printf', '%P %y %U %G %m %s %C@\n'], {
    encoding: 'utf8',
  })
    .split('\n')
    .sort()
    .join('\n');

async function importImage(): Promise<void> {
  const image = readFileSync(makeBusyboxImage(join(dir, 'image')).unified);
  await daemon.rest.must('POST', '/1.0/images', image, { 'Content-Type': 'application/octet-stream' });
}

beforeAll(async () => {
  dir = makeTemporary('recover');
  daemon = new HostDaemon(join(dir, 'server'));
  await daemon.start();
  own = ownClient(lxdTs, daemon.dir, join(dir, 'home'));
  await importImage();
  const [image] = await get<string[]>('/1.0/images');
  const fingerprint = image?.split('/').pop();
  await must('POST', '/1.0/profiles', { name: 'p', config: { 'user.p': '1' } });
  for (const { name: pool, driver } of poolsOf()) {
    const config = driver === 'btrfs' ? { size: '1GiB' } : {};
    await must('POST', '/1.0/storage-pools', { name: pool, driver, config });
    await must('POST', `/1.0/storage-pools/${pool}/volumes/custom`, { name: 'v' });
    const name = `c${pool}`;
    await must('POST', '/1.0/instances', {
      name,
      description: 'mine',
      source: { type: 'image', fingerprint },
      profiles: ['p'],
      config: { 'user.x': 'y' },
      devices: {
        root: { type: 'disk', path: '/', pool },
        data: { type: 'disk', path: '/data', pool, source: 'v' },
      },
    });
    await text('start', name);
    await inside(name, 'echo one > /root/file; echo held > /data/file; chown 5:6 /root/file');
    await must('POST', `/1.0/instances/${name}/snapshots`, {
      name: 'first',
      expires_at: '2050-01-01T00:00:00Z',
    });
    await must('POST', `/1.0/storage-pools/${pool}/volumes/custom/v/snapshots`, { name: 'vs' });
    const block = { name: 'k', content_type: 'block', config: { size: '1MiB' } };
    await must('POST', `/1.0/storage-pools/${pool}/volumes/custom`, block);
    await must('POST', `/1.0/storage-pools/${pool}/volumes/custom/k/snapshots`, { name: 'ks' });
    await inside(name, 'echo two > /root/file');
    await text('stop', '-f', name);
    await must('POST', `/1.0/instances/${name}/snapshots`, { name: 'second' });
  }
});

afterAll(async () => {
  try {
    for (const path of await get<string[]>('/1.0/instances')) await must('DELETE', path);
    for (const path of await get<string[]>('/1.0/images')) await must('DELETE', path);
    for (const pool of await get<string[]>('/1.0/storage-pools')) {
      for (const path of await get<string[]>(`${pool}/volumes/custom`))
        if (!path.includes('/snapshots/')) await must('DELETE', path);
      await must('DELETE', pool);
    }
  } finally {
    await daemon.end('SIGTERM');
  }
  rmSync(dir, { recursive: true });
});

interface Instance {
  name: string;
  description: string;
  config: Record<string, string>;
  profiles: string[];
  snapshots: { name: string; expires_at: string }[];
}

async function expectAllThere(): Promise<void> {
  const instances = await get<Instance[]>('/1.0/instances?recursion=2');
  expect(instances.map(({ name }) => name)).toEqual(['cb', 'cd']);
  for (const { name, snapshots, ...instance } of instances) {
    const pool = name.slice(1);
    expect(instance).toMatchObject({ description: 'mine', profiles: ['p'], config: { 'user.x': 'y' } });
    expect(snapshots.map((one) => one.name).sort()).toEqual(['first', 'second']);
    expect(snapshots.find((one) => one.name === 'first')?.expires_at).toMatch(/^2050-01-01/);
    const volumes = await get<{ name: string; content_type: string }[]>(
      `/1.0/storage-pools/${pool}/volumes/custom?recursion=1`,
    );
    expect(volumes.map((one) => `${one.name} ${one.content_type}`)).toEqual([
      'k block',
      'k/ks block',
      'v filesystem',
      'v/vs filesystem',
    ]);
    await text('start', name);
    expect(await inside(name, 'cat /root/file /data/file; stat -c "%u %g" /root/file')).toBe(
      'two\nheld\n5 6\n',
    );
    await text('stop', '-f', name);
    await text('restore', name, 'first');
    await text('start', name);
    expect(await inside(name, 'cat /root/file')).toBe('one\n');
    await text('stop', '-f', name);
    await text('restore', name, 'second');
  }
}

test('what is missing is told, and looking changes nothing', async () => {
  const configs = await get<Instance[]>('/1.0/instances?recursion=1');
  await loseDatabase();
  expect(await get('/1.0/instances')).toEqual([]);
  const before = disk('d');
  const body = { pools: poolsOf() };
  const wanted = {
    DependencyErrors: ['Profile "p" in project "default"'],
    UnknownVolumes: [
      { name: 'k', type: 'volume', snapshotCount: 1, project: 'default', pool: 'b' },
      { name: 'v', type: 'volume', snapshotCount: 1, project: 'default', pool: 'b' },
      { name: 'cb', type: 'container', snapshotCount: 2, project: 'default', pool: 'b' },
      { name: 'k', type: 'volume', snapshotCount: 1, project: 'default', pool: 'd' },
      { name: 'v', type: 'volume', snapshotCount: 1, project: 'default', pool: 'd' },
      { name: 'cd', type: 'container', snapshotCount: 2, project: 'default', pool: 'd' },
    ],
  };
  for (const verb of ['validate', 'import'])
    expect((await must('POST', `/internal/recover/${verb}`, body)).metadata).toEqual(wanted);
  expect(await get('/1.0/storage-pools')).toEqual([]);
  expect(disk('d')).toBe(before);
  const mounts = readFileSync('/proc/mounts', 'utf8');
  expect([mounts.includes(`${daemon.dir}/storage-pools/b `), configs.length]).toEqual([true, 2]);
});

test('admin recover takes all of it in again', async () => {
  await must('POST', '/1.0/profiles', { name: 'p', config: { 'user.p': '1' } });
  const { code, stdout, stderr } = await own(['admin', 'recover'], { input: answers(poolsOf()) });
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain(' - Container "cb" on pool "b" in project "default" (includes 2 snapshots)');
  await expectAllThere();
  const [b, d] = await get<{ config: Record<string, string>; status: string }[]>(
    '/1.0/storage-pools?recursion=1',
  );
  expect([b?.config, d?.config]).toEqual(
    poolsOf().map(({ config }) => expect.objectContaining(config) as unknown),
  );
  const again = await own(['admin', 'recover'], { input: 'no\nyes\n' });
  expect(again.stdout).toContain('No unknown volumes found');
});

test('killed in the middle of it, the next one goes on', async () => {
  await loseDatabase();
  await must('POST', '/1.0/profiles', { name: 'p', config: { 'user.p': '1' } });
  for (const afterMs of [20, 60, 120]) {
    const taking = must('POST', '/internal/recover/import', { pools: poolsOf() }).catch(() => undefined);
    await sleep(afterMs);
    await daemon.end('SIGKILL');
    await taking;
    await daemon.start();
  }
  await must('POST', '/internal/recover/import', { pools: poolsOf() });
  await expectAllThere();
});

test('what cannot be is refused, and leaves nothing', async () => {
  const refused = async (pool: object) =>
    (await daemon.rest.call('POST', '/internal/recover/validate', { pools: [pool] })).error;
  expect(await refused({ name: 'x', driver: 'nope', config: {} })).toBe(
    'Failed to initialise unknown pool "x": Unknown driver',
  );
  expect(await refused({ name: 'x', driver: 'btrfs', config: { source: '/nope' } })).toContain(
    'Failed mounting pool "x": ',
  );
  expect(await refused({ name: 'x', driver: 'btrfs', config: { source: dir } })).toContain("isn't btrfs");
  expect(await refused({ name: 'x', driver: 'dir', config: { wat: '1' } })).toContain('Invalid option "wat"');
  expect(await refused({ name: '../x', driver: 'dir', config: { source: dir } })).not.toBe('');
  expect(existsSync(join(daemon.dir, 'storage-pools/x'))).toBe(false);
  expect((await get<string[]>('/1.0/storage-pools')).length).toBe(2);
});

(stockMissing ? test.skip : test)("Debian's lxd recover does the same", async () => {
  await loseDatabase();
  await must('POST', '/1.0/profiles', { name: 'p', config: { 'user.p': '1' } });
  const recovered: Result = await run(['lxd', 'recover'], {
    input: answers(poolsOf()),
    environment: { LXD_DIR: daemon.dir },
  });
  expect([recovered.code, recovered.stderr]).toEqual([0, '']);
  expect(recovered.stdout).toContain(' - Volume "v" on pool "d" in project "default" (includes 1 snapshots)');
  await expectAllThere();
});

(stockMissing ? test.skip : test)('pools of a real LXD are taken over after it has ended', async () => {
  const theirs = await startReference(join(dir, 'theirs'));
  const lxc = stockClient(theirs.dir, join(dir, 'their-home'));
  const there = async (...args: string[]) => {
    const { code, stdout, stderr } = await lxc(args);
    if (code !== 0) throw new Error(`${args.join(' ')}: ${stdout}${stderr}`);
  };
  mkdirSync(join(dir, 'source'));
  await there('storage', 'create', 'tb', 'btrfs', 'size=512MiB');
  await there('storage', 'create', 'td', 'dir', `source=${join(dir, 'source')}`);
  await there('image', 'import', makeBusyboxImage(join(dir, 'image2')).unified, '--alias', 'bb');
  for (const pool of ['tb', 'td']) {
    const name = `x${pool}`;
    await there('init', 'bb', name, '-s', pool);
    await there('start', name);
    await there('exec', name, '--', 'sh', '-c', 'echo one > /root/file; chown 5:6 /root/file');
    await there('snapshot', name, 's0');
    await there('exec', name, '--', 'sh', '-c', 'echo two > /root/file');
    await there('stop', '-f', name);
    await there('storage', 'volume', 'create', pool, 'theirs');
    await there('storage', 'volume', 'snapshot', pool, 'theirs', 'ts');
  }
  await theirs.stop();
  const pools = [
    { name: 'tb', driver: 'btrfs', config: { source: join(theirs.dir, 'disks/tb.img') } },
    { name: 'td', driver: 'dir', config: { source: join(dir, 'source') } },
  ];
  const { code, stdout, stderr } = await own(['admin', 'recover'], { input: answers(pools) });
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain(' - Volume "theirs" on pool "tb" in project "default" (includes 1 snapshots)');
  for (const name of ['xtb', 'xtd']) {
    await text('start', name);
    expect(await inside(name, 'cat /root/file; stat -c "%u %g" /root/file /bin/busybox')).toBe(
      'two\n5 6\n0 0\n',
    );
    await text('stop', '-f', name);
    await text('restore', name, 's0');
    await text('start', name);
    expect(await inside(name, 'cat /root/file; stat -c "%u %g" /root/file')).toBe('one\n5 6\n');
    await text('stop', '-f', name);
  }
});
