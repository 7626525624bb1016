import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemon } from '../support/daemon.ts';
import { makeTemporary } from '../support/ground.ts';
import { referenceMissing, startReference, stockClientMissing } from '../support/reference.ts';
import type { TestServer } from '../support/server.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(120_000);

/** Backups of custom volumes: written and read by lxd-tsd and by a real LXD, on both kinds of pools. */
const missing = referenceMissing() ?? stockClientMissing();
const withReference = missing ? test.skip : test;
const withClient = stockClientMissing() ? test.skip : test;

let dir: string;
let ours: TestServer;
let theirs: TestServer | undefined;

const run = (program: string, args: readonly string[], server: TestServer): string =>
  execFileSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, LXD_DIR: server.dir, LXD_TS_DIR: server.dir, LXD_CONF: join(dir, 'config') },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
const lxc = (server: TestServer, ...args: string[]): string =>
  run('lxc', ['storage', 'volume', ...args], server);
const cli = (...args: string[]): string =>
  run(process.execPath, ['packages/cli/src/main.ts', 'storage', 'volume', ...args], ours);
const file = (name: string): string => join(dir, name);

const place = (server: TestServer, pool: string, name: string, snapshot?: string): string =>
  join(
    server.dir,
    'storage-pools',
    pool,
    snapshot === undefined
      ? join('custom', `default_${name}`)
      : join('custom-snapshots', `default_${name}`, snapshot),
  );
const shell = (server: TestServer, script: string, ...args: string[]): string =>
  server.inside(['sh', '-ec', script, 'sh', ...args]);

/** A line per file with all that a backup keeps, the volume's own directory too. A real LXD rounds times, or sets a mode of its own. */
const listing = (server: TestServer, pool: string, name: string, snapshot?: string): string =>
  shell(
    server,
    `cd "$1"; find . ! -type d -printf '%p %y %U %G %m %n %l\\n' | sort; find . -type d -printf '%p d %U %G %m\\n' | sort
    find . -type f -exec sha256sum {} + | sort; getfattr -h -d -m user. -R . | sort`,
    place(server, pool, name, snapshot),
  );

/** A volume `data` with two snapshots that differ from it and from each other. */
async function make(server: TestServer, pool: string): Promise<void> {
  const path = `/1.0/storage-pools/${pool}/volumes/custom`;
  await server.rest.must('POST', path, {
    name: 'data',
    config: { 'user.a': 'b' },
    description: 'what it is',
  });
  shell(
    server,
    `cd "$1"; mkdir sub; echo one > 'sub/a name'; chown 1000:1001 'sub/a name'; chmod 640 'sub/a name'
    ln 'sub/a name' hard; ln -s ../../etc/passwd link; mkfifo pipe; setfattr -n user.x -v y hard; chown 33:44 .; chmod 750 .
    truncate -s 1M holes; echo kept > backup.yaml`,
    place(server, pool, 'data'),
  );
  await server.rest.must('POST', `${path}/data/snapshots`, {
    name: 's1',
    expires_at: '2040-01-02T03:04:05Z',
  });
  shell(server, `cd "$1"; echo two > hard; rm holes; echo new > new`, place(server, pool, 'data'));
  await server.rest.must('POST', `${path}/data/snapshots`, { name: 'another' });
  shell(server, `cd "$1"; rm new link; chmod 701 .`, place(server, pool, 'data'));
}

const volumeOf = async (server: TestServer, pool: string, name: string) =>
  (await server.rest.must('GET', `/1.0/storage-pools/${pool}/volumes/custom/${name}`)).metadata as Record<
    string,
    unknown
  >;
const snapshotsOf = async (server: TestServer, pool: string, name: string) =>
  (
    (await server.rest.must('GET', `/1.0/storage-pools/${pool}/volumes/custom/${name}/snapshots?recursion=1`))
      .metadata as { name: string; config: object; expires_at: string }[]
  )
    .map((one) => ({ name: one.name.split('/')[1] ?? '', config: one.config, expires: one.expires_at }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

/** A real LXD opens the directory of a volume that it takes in, whatever it was. */
const withoutMode = (text: string): string => text.replace(/^(\. d .*) \d+$/m, '$1');

async function expectSame(
  [from, pool, name]: [TestServer, string, string],
  [to, into, as]: [TestServer, string, string],
): Promise<void> {
  const comparable = to === theirs ? withoutMode : (text: string) => text;
  for (const snapshot of [undefined, 's1', 'another'])
    expect(comparable(listing(to, into, as, snapshot))).toBe(comparable(listing(from, pool, name, snapshot)));
  const [was, is] = [await volumeOf(from, pool, name), await volumeOf(to, into, as)];
  expect([is['config'], is['description']]).toEqual([was['config'], was['description']]);
  const [before, after] = [await snapshotsOf(from, pool, name), await snapshotsOf(to, into, as)];
  expect(after.map((one) => [one.name, one.config])).toEqual(before.map((one) => [one.name, one.config]));
}

const backupsIn = (server: TestServer): string[] => readdirSync(join(server.dir, 'backups', 'instances'));

const volumesIn = (pool: string): string[] =>
  shell(ours, 'ls -A "$1"', join(ours.dir, 'storage-pools', pool, 'custom'))
    .split('\n')
    .filter(Boolean);

async function setUp(server: TestServer): Promise<void> {
  const { rest } = server;
  await rest.must('POST', '/1.0/storage-pools', { name: 'b', driver: 'btrfs', config: { size: '512MiB' } });
  await rest.must('POST', '/1.0/storage-pools', { name: 'd', driver: 'dir' });
  for (const pool of ['b', 'd']) await make(server, pool);
}

beforeAll(async () => {
  dir = makeTemporary('volume-backups');
  ours = await startDaemon(join(dir, 'ours'));
  await setUp(ours);
  if (missing) {
    console.log(`without a real LXD: ${missing}`);
    return;
  }
  theirs = await startReference(join(dir, 'theirs'));
  await setUp(theirs);
});

async function removeVolumes(server: TestServer): Promise<void> {
  for (const pool of ['b', 'd'])
    for (const url of (await server.rest.must('GET', `/1.0/storage-pools/${pool}/volumes/custom`))
      .metadata as string[])
      if (!url.includes('/snapshots/')) await server.rest.must('DELETE', url);
}

afterAll(async () => {
  const left: string[] = [];
  for (const server of [ours, theirs]) {
    if (!server) continue;
    await removeVolumes(server);
    left.push(...(await server.stopAll()));
  }
  rmSync(dir, { recursive: true, force: true });
  expect(left).toEqual([]);
});

test.each([
  ['b', 'b', []],
  ['b', 'd', []],
  ['d', 'b', ['--compression', 'zstd']],
  ['d', 'd', ['--optimized-storage']],
  ['b', 'b', ['--optimized-storage', '--compression', 'none']],
])('a volume of pool %s comes back in pool %s %j', async (from, to, flags) => {
  const target = file(`own-${from}${to}.tar`);
  expect(cli('export', from, 'data', target, ...flags)).toContain('Backup exported successfully!');
  cli('import', to, target, 'again');
  await expectSame([ours, from, 'data'], [ours, to, 'again']);
  const [s1] = (await snapshotsOf(ours, to, 'again')).filter(({ name }) => name === 's1');
  expect(Date.parse(s1?.expires ?? '')).toBe(Date.parse('2040-01-02T03:04:05Z'));
  cli('delete', to, 'again');
  expect(backupsIn(ours)).toEqual([]);
});

test('alone, it comes without snapshots; by the name it had', async () => {
  cli('export', 'd', 'data', file('alone.tar.gz'), '--volume-only');
  cli('rename', 'd', 'data', 'aside');
  cli('import', 'd', file('alone.tar.gz'));
  expect(await snapshotsOf(ours, 'd', 'data')).toEqual([]);
  expect(listing(ours, 'd', 'data')).toBe(listing(ours, 'd', 'aside'));
  cli('delete', 'd', 'data');
  cli('rename', 'd', 'aside', 'data');
});

withReference.each([
  ['b', 'b', ['--optimized-storage']],
  ['b', 'd', []],
  ['d', 'b', []],
])('what ours wrote from pool %s a real LXD takes into pool %s %j', async (from, to, flags) => {
  if (!theirs) throw new Error('there is no real LXD');
  cli('export', from, 'data', file('to-them.tar.gz'), ...flags);
  lxc(theirs, 'import', to, file('to-them.tar.gz'), 'came');
  await expectSame([ours, from, 'data'], [theirs, to, 'came']);
  lxc(theirs, 'delete', to, 'came');
});

withReference.each([
  ['b', 'b', ['--optimized-storage']],
  ['b', 'd', []],
  ['d', 'b', []],
])('what a real LXD wrote from pool %s ours takes into pool %s %j', async (from, to, flags) => {
  if (!theirs) throw new Error('there is no real LXD');
  lxc(theirs, 'export', from, 'data', file('from-them.tar.gz'), ...flags);
  lxc(ours, 'import', to, file('from-them.tar.gz'), 'came');
  await expectSame([theirs, from, 'data'], [ours, to, 'came']);
  lxc(ours, 'delete', to, 'came');
});

withClient('by the stock client, out and in again', async () => {
  lxc(ours, 'export', 'b', 'data', file('stock.tar.gz'));
  lxc(ours, 'import', 'd', file('stock.tar.gz'), 'stock');
  await expectSame([ours, 'b', 'data'], [ours, 'd', 'stock']);
  lxc(ours, 'delete', 'd', 'stock');
  // Names are sent in a header.
  for (const client of [(...args: string[]) => lxc(ours, ...args), cli]) {
    client('import', 'd', file('stock.tar.gz'), 'vä€');
    expect((await volumeOf(ours, 'd', encodeURIComponent('vä€')))['name']).toBe('vä€');
    client('delete', 'd', 'vä€');
  }
});

test('backups follow their volume: they are renamed and deleted with it', async () => {
  const path = '/1.0/storage-pools/d/volumes/custom';
  await ours.rest.must('POST', path, { name: 'v' });
  await ours.rest.must('POST', `${path}/v/backups`, { name: 'b1' });
  await ours.rest.must('POST', `${path}/v`, { name: 'w' });
  const names = async () => (await ours.rest.must('GET', `${path}/w/backups`)).metadata as string[];
  expect(await names()).toEqual([`${path}/w/backups/b1`]);
  expect(backupsIn(ours)).toHaveLength(1);
  await ours.rest.must('DELETE', `${path}/w`);
  expect(backupsIn(ours)).toEqual([]);
});

withReference.each([
  ['b', 'b'],
  ['b', 'd'],
])('a copy on the other server is brought up to date, again and again, from pool %s to %s', (from, to) => {
  const [own, their] = [ours, theirs];
  if (!their) throw new Error('there is no real LXD');
  const config = join(dir, 'relay');
  mkdirSync(config, { recursive: true });
  const remotes = [own, their].map(
    (server, at) => `  s${at}: {addr: "unix://${join(server.dir, 'unix.socket')}", public: false}`,
  );
  writeFileSync(
    join(config, 'config.yml'),
    `default-remote: s0\nremotes:\n${remotes.join('\n')}\naliases: {}\n`,
  );
  const client = (...args: string[]) =>
    execFileSync('lxc', ['storage', 'volume', ...args], {
      encoding: 'utf8',
      env: { ...process.env, LXD_CONF: config },
      timeout: 60_000,
    });
  for (const [source, sink] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const at = [own, their][source] ?? own;
    const there = [own, their][sink] ?? own;
    const write = (text: string) => shell(at, 'echo "$2" > "$1/file"', place(at, from, 'moving'), text);
    client('create', `s${source}:${from}`, 'moving');
    // Of different lengths: a real LXD takes what was written twice in a second for the same.
    for (const round of ['one', 'second', 'third']) {
      write(round);
      client('snapshot', `s${source}:${from}`, 'moving', round);
      if (round === 'second') client('delete', `s${source}:${from}`, 'moving/one');
      const refresh = round === 'one' ? [] : ['--refresh'];
      client('copy', `s${source}:${from}/moving`, `s${sink}:${to}/moved`, '--mode', 'relay', ...refresh);
      const snapshots = join(place(there, to, 'moved', 'x'), '..');
      const all = shell(
        there,
        'cat "$1/file"; ls "$2"; cat "$2/$3/file"',
        place(there, to, 'moved'),
        snapshots,
        round,
      );
      const names = { one: ['one'], second: ['second'], third: ['second', 'third'] }[round] ?? [];
      expect(all.trim().split('\n')).toEqual([round, ...names, round]);
    }
    client('delete', `s${source}:${from}`, 'moving');
    client('delete', `s${sink}:${to}`, 'moved');
  }
});

test('what is none, or not for this pool, is refused and leaves nothing', async () => {
  const fails = (...args: string[]): string => {
    try {
      cli(...args);
    } catch (error) {
      return String((error as { stderr?: string }).stderr);
    }
    throw new Error('it was taken');
  };
  cli('export', 'b', 'data', file('optimized.tar.gz'), '--optimized-storage');
  expect(fails('import', 'd', file('optimized.tar.gz'), 'x')).toContain(
    'differs from the target storage pool driver',
  );
  expect(fails('import', 'b', file('optimized.tar.gz'), 'data')).toContain('already exists');
  expect(fails('import', 'b', file('optimized.tar.gz'), 'a/b')).toContain('slashes');
  expect(fails('import', 'nope', file('optimized.tar.gz'), 'x')).toContain('Storage pool not found');
  expect(fails('import', 'b', '/etc/passwd', 'x')).toContain('Unsupported compression');
  expect(fails('import', 'b', '/etc', 'x')).toContain('it is a directory');
  // Before the server makes one.
  expect(fails('export', 'b', 'data', file('no/where'))).toContain('there is no directory');
  expect(fails('export', 'b', 'data', dir)).toContain('it is a directory');
  expect(fails('export', 'b', 'data/s1', file('x'))).toContain('A snapshot is exported with its volume');
  expect(backupsIn(ours)).toEqual([]);
  for (const pool of ['b', 'd']) expect(volumesIn(pool)).toEqual(['default_data']);
});

test('killed at any moment of a backup and an import, what was there stays and nothing is left over', async () => {
  const path = (pool: string) => `/1.0/storage-pools/${pool}/volumes/custom`;
  const listOf = async (pool: string): Promise<string[]> =>
    ((await ours.rest.must('GET', `${path(pool)}?recursion=1`)).metadata as { name: string }[])
      .map(({ name }) => name)
      .filter((name) => !name.includes('/'))
      .sort();
  cli('export', 'b', 'data', file('kill.tar.gz'));
  const upload = readFileSync(file('kill.tar.gz'));
  const before = ['b', 'd'].map((pool) => listing(ours, pool, 'data', 's1'));
  for (let kill = 0; kill < 6; kill++) {
    const working = (async () => {
      for (;;) {
        for (const [from, to] of [
          ['b', 'd'],
          ['d', 'b'],
        ] as const) {
          await ours.rest.must('POST', `${path(from)}/data/backups`, {
            name: 'k',
            compression_algorithm: 'none',
          });
          const source = { type: 'copy', name: 'data', pool: from };
          await ours.rest.must('POST', path(to), { name: 'k', type: 'custom', source });
          const headers = { 'Content-Type': 'application/octet-stream', 'X-LXD-name': 'i' };
          await ours.rest.must('POST', path(to), upload, headers);
          for (const one of [`${path(to)}/i`, `${path(to)}/k`, `${path(from)}/data/backups/k`])
            await ours.rest.must('DELETE', one);
        }
      }
    })().catch(() => undefined);
    await sleep(100 + Math.random() * 900);
    await ours.crash();
    await working;
    const seen = async () => {
      const listed = await Promise.all(['b', 'd'].map((pool) => listOf(pool)));
      const backups = await Promise.all(
        ['b', 'd'].map(async (pool) => {
          const answer = await ours.rest.must('GET', `${path(pool)}/data/backups`);
          return answer.metadata as string[];
        }),
      );
      return {
        records: listed.map((all) => all.map((name) => `default_${name}`)),
        directories: ['b', 'd'].map(volumesIn),
        backups: backups.flat().length,
        files: backupsIn(ours).length,
      };
    };
    await waitFor('what is on record and no more', seen, ({ records, directories, backups, files }) => {
      return JSON.stringify(records) === JSON.stringify(directories) && backups === files;
    });
    for (const pool of ['b', 'd']) {
      expect(listing(ours, pool, 'data', 's1')).toBe(before[pool === 'b' ? 0 : 1]);
      for (const name of ['i', 'k']) await ours.rest.call('DELETE', `${path(pool)}/${name}`);
      const left = (await ours.rest.must('GET', `${path(pool)}/data/backups`)).metadata as string[];
      for (const url of left) await ours.rest.must('DELETE', url);
    }
  }
});
