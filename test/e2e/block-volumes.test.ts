import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lxdTs, startDaemon } from '../support/daemon.ts';
import { makeTemporary } from '../support/ground.ts';
import { referenceMissing, startReference, stockClientMissing } from '../support/reference.ts';
import type { TestServer } from '../support/server.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(120_000);

/** Custom volumes of content type `block`: their bytes, wherever they go, by lxd-tsd and to and from a real LXD. */
const missing = referenceMissing() ?? stockClientMissing();
const withReference = missing ? test.skip : test;
const MiB = 1024 * 1024;
const pools = ['b', 'd'] as const;

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
const cli = (...args: string[]): string => run(lxdTs, ['storage', 'volume', ...args], ours);
const lxc = (server: TestServer, ...args: string[]): string =>
  run('lxc', ['storage', 'volume', ...args, '-q'], server);
const fails = (...args: string[]): string => {
  try {
    cli(...args);
  } catch (error) {
    return String((error as { stderr?: string }).stderr);
  }
  throw new Error('it was done');
};

const directory = (server: TestServer, pool: string, name: string, snapshot?: string): string =>
  join(
    server.dir,
    'storage-pools',
    pool,
    snapshot === undefined ? `custom/default_${name}` : `custom-snapshots/default_${name}/${snapshot}`,
  );
const shell = (server: TestServer, script: string, ...args: string[]): string =>
  server.inside(['sh', '-ec', script, 'sh', ...args]);
/** Somewhere in the middle, and in the last bytes: what is left out by mistake is seen. */
const write = (pool: string, name: string, text: string, server = ours): string =>
  shell(
    server,
    'size=$(stat -c %s "$1"); for at in 70000 $((size - 16)); do printf %s "$2" | dd of="$1" bs=1 seek=$at conv=notrunc status=none; done',
    join(directory(server, pool, name), 'root.img'),
    text,
  );
/** Its size, owner, mode and bytes. */
const read = (server: TestServer, pool: string, name: string, snapshot?: string): string =>
  shell(
    server,
    'cd "$1"; ls -A; stat -c "%s %u %g %F" root.img; sha256sum root.img',
    directory(server, pool, name, snapshot),
  );
const custom = (pool: string): string => `/1.0/storage-pools/${pool}/volumes/custom`;
const sizeOf = async (pool: string, name: string): Promise<string | undefined> => {
  const { metadata } = await ours.rest.must('GET', `${custom(pool)}/${name}`);
  return (metadata as { config: Record<string, string> }).config['size'];
};
const names = async (pool: string): Promise<string[]> =>
  ((await ours.rest.must('GET', `${custom(pool)}?recursion=1`)).metadata as { name: string }[])
    .map(({ name }) => name)
    .sort();
const inPool = (pool: string): string[] =>
  shell(ours, 'ls -A "$1"', join(ours.dir, 'storage-pools', pool, 'custom'))
    .split('\n')
    .filter(Boolean);

async function setUp(server: TestServer): Promise<void> {
  const { rest } = server;
  await rest.must('POST', '/1.0/storage-pools', { name: 'b', driver: 'btrfs', config: { size: '1GiB' } });
  await rest.must('POST', '/1.0/storage-pools', { name: 'd', driver: 'dir' });
}

/** `disk`, with one snapshot that differs from it in its bytes and its size. */
async function make(server: TestServer, pool: string): Promise<void> {
  const body = { name: 'disk', content_type: 'block', config: { size: '8MiB' } };
  await server.rest.must('POST', custom(pool), body);
  write(pool, 'disk', 'before', server);
  await server.rest.must('POST', `${custom(pool)}/disk/snapshots`, { name: 's1' });
  await server.rest.must('PUT', `${custom(pool)}/disk`, { config: { size: '12MiB' } });
  write(pool, 'disk', 'after', server);
}

beforeAll(async () => {
  dir = makeTemporary('block-volumes');
  ours = await startDaemon(join(dir, 'ours'));
  await setUp(ours);
  if (missing) {
    console.log(`without a real LXD: ${missing}`);
    return;
  }
  theirs = await startReference(join(dir, 'theirs'));
  await setUp(theirs);
});

afterAll(async () => {
  const left: string[] = [];
  for (const server of [ours, theirs]) {
    if (!server) continue;
    for (const pool of pools)
      for (const url of (await server.rest.must('GET', custom(pool))).metadata as string[])
        if (!url.includes('/snapshots/')) await server.rest.must('DELETE', url);
    left.push(...(await server.stopAll()));
  }
  rmSync(dir, { recursive: true, force: true });
  expect(left).toEqual([]);
});

describe.each(pools)('in pool %s', (pool) => {
  const other = pool === 'b' ? 'd' : 'b';

  test('one is made, of holes, and is no disk of a container', async () => {
    expect(cli('create', pool, 'vol', '--type=block', 'size=8MiB')).toBe('Storage volume vol created\n');
    expect(cli('list', pool, 'type=custom', '-f', 'csv')).toBe('custom,vol,,block,0\n');
    expect(cli('info', pool, 'vol')).toContain('Content type: block');
    const stat = 'stat -c "%s %b %a %u" root.img; stat -c %a .';
    expect(shell(ours, `cd "$1"; ${stat}`, directory(ours, pool, 'vol'))).toBe(`${8 * MiB} 0 600 0\n711\n`);
    expect(fails('create', pool, 'x', '--type=block', 'security.shifted=true')).toContain('Invalid option');
    expect(fails('create', pool, 'x', '--type=disk')).toContain('Invalid volume content type name');
    const disk = { type: 'disk', pool, source: 'vol', path: '/x' };
    const body = {
      name: 'c1',
      source: { type: 'none' },
      devices: { root: { type: 'disk', path: '/', pool }, disk },
    };
    const { err } = (await ours.rest.call('POST', '/1.0/instances', body)).metadata as { err?: string };
    expect(err).toContain('Custom block volumes cannot be used on containers');
    cli('delete', pool, 'vol');
    expect(inPool(pool)).toEqual([]);
  });

  test('it grows, never shrinks, and goes back to its snapshot', async () => {
    await make(ours, pool);
    const after = read(ours, pool, 'disk');
    expect(after).toContain(`${12 * MiB} 0 0`);
    expect(fails('set', pool, 'disk', 'size=4MiB')).toContain('cannot be shrunk');
    expect(await sizeOf(pool, 'disk')).toBe('12MiB');
    cli('copy', `${pool}/disk`, `${pool}/kept`);
    cli('restore', pool, 'disk', 's1');
    expect(read(ours, pool, 'disk')).toBe(read(ours, pool, 'disk', 's1'));
    expect(read(ours, pool, 'kept')).toBe(after);
    cli('delete', pool, 'disk');
    cli('rename', pool, 'kept', 'disk');
    expect(read(ours, pool, 'disk')).toBe(after);
  });

  test('a copy elsewhere has its bytes and its size, and is brought up to date', async () => {
    cli('copy', `${pool}/disk`, `${other}/copy`);
    const same = (snapshot?: string) =>
      expect(read(ours, other, 'copy', snapshot)).toBe(read(ours, pool, 'disk', snapshot));
    same();
    same('s1');
    expect(await sizeOf(other, 'copy')).toBe(String(12 * MiB));
    write(pool, 'disk', 'again');
    cli('snapshot', pool, 'disk', 's2');
    cli('copy', `${pool}/disk`, `${other}/copy`, '--refresh');
    same();
    same('s2');
    cli('create', other, 'files');
    expect(fails('copy', `${pool}/disk`, `${other}/files`, '--refresh')).toContain('another content type');
    cli('delete', other, 'files');
    cli('move', `${other}/copy`, `${pool}/copy`);
    expect(read(ours, pool, 'copy')).toBe(read(ours, pool, 'disk'));
    expect(inPool(other)).toEqual([]);
    cli('delete', pool, 'copy');
  });

  test.each([[[]], [['--optimized-storage']]])('a backup %j is taken in again', async (flags) => {
    const file = join(dir, 'own.tar.gz');
    cli('export', pool, 'disk', file, ...flags);
    cli('import', pool, file, 'back');
    for (const snapshot of [undefined, 's1', 's2'])
      expect(read(ours, pool, 'back', snapshot)).toBe(read(ours, pool, 'disk', snapshot));
    expect(await sizeOf(pool, 'back')).toBe('12MiB');
    cli('delete', pool, 'back');
  });

  test('nothing is left of those that are deleted', () => {
    cli('delete', pool, 'disk');
    expect(inPool(pool)).toEqual([]);
  });
});

test('a backup that has a link in the place of the bytes is refused, and leaves nothing', () => {
  cli('create', 'b', 'evil');
  writeFileSync(join(dir, 'secret'), 'secret');
  shell(ours, 'ln -s "$2" "$1/root.img"', directory(ours, 'b', 'evil'), join(dir, 'secret'));
  const file = join(dir, 'evil.tar');
  cli('export', 'b', 'evil', file, '--optimized-storage', '--compression=none');
  const script = `mkdir "$1"; cd "$1"; tar xf "$2"; sed -i 's/content_type: filesystem/content_type: block/' backup/index.yaml
    grep -q 'content_type: block' backup/index.yaml; tar cf "$2" backup/index.yaml backup`;
  execFileSync('sh', ['-ec', script, 'sh', join(dir, 'evil'), file]);
  cli('delete', 'b', 'evil');
  expect(fails('import', 'b', file, 'evil')).toContain('is not a regular file');
  expect([inPool('b'), readFileSync(join(dir, 'secret'), 'utf8')]).toEqual([[], 'secret']);
});

withReference('backups go both ways between it and a real LXD', async () => {
  if (!theirs) throw new Error('there is no real LXD');
  for (const pool of pools) {
    const other = pool === 'b' ? 'd' : 'b';
    for (const [from, to] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      await make(from, pool);
      const file = join(dir, 'across.tar');
      for (const [into, flags] of [
        [other, ['--compression=none']],
        ...(pool === 'b' ? ([['b', ['--optimized-storage']]] as const) : []),
      ] as const) {
        lxc(from, 'export', pool, 'disk', file, ...flags);
        lxc(to, 'import', into, file, 'came');
        for (const snapshot of [undefined, 's1'])
          expect(read(to, into, 'came', snapshot)).toBe(read(from, pool, 'disk', snapshot));
        await to.rest.must('DELETE', `${custom(into)}/came`);
      }
      await from.rest.must('DELETE', `${custom(pool)}/disk`);
    }
  }
});

withReference.each([
  ['b', 'b'],
  ['b', 'd'],
  ['d', 'b'],
])('they are copied to a real LXD and back, and brought up to date: pool %s to %s', async (from, to) => {
  if (!theirs) throw new Error('there is no real LXD');
  const config = join(dir, 'relay');
  mkdirSync(config, { recursive: true });
  const both = [ours, theirs] as const;
  const remotes = both.map(
    (server, at) => `  s${at}: {addr: "unix://${join(server.dir, 'unix.socket')}", public: false}`,
  );
  writeFileSync(join(config, 'config.yml'), `default-remote: s0\nremotes:\n${remotes.join('\n')}\n`);
  const client = (...args: string[]) =>
    execFileSync('lxc', ['storage', 'volume', ...args], {
      env: { ...process.env, LXD_CONF: config },
      timeout: 60_000,
    });
  for (const [source, sink] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const [at, there] = [both[source], both[sink]];
    await make(at, from);
    const copy = (...more: string[]) => {
      client('copy', `s${source}:${from}/disk`, `s${sink}:${to}/came`, '--mode', 'relay', ...more);
      for (const snapshot of [undefined, 's1'])
        expect(read(there, to, 'came', snapshot)).toBe(read(at, from, 'disk', snapshot));
    };
    copy();
    write(from, 'disk', 'more', at);
    await at.rest.must('POST', `${custom(from)}/disk/snapshots`, { name: 's2' });
    copy('--refresh');
    expect(read(there, to, 'came', 's2')).toBe(read(at, from, 'disk', 's2'));
    await at.rest.must('DELETE', `${custom(from)}/disk`);
    await there.rest.must('DELETE', `${custom(to)}/came`);
  }
});

test('killed at any moment, what was there stays, and nothing is left over', async () => {
  for (const pool of pools) {
    await make(ours, pool);
    // So that copies take their time.
    shell(ours, 'head -c 12M /dev/urandom >"$1"', join(directory(ours, pool, 'disk'), 'root.img'));
  }
  const before = pools.map((pool) => read(ours, pool, 'disk'));
  for (let kill = 0; kill < 4; kill++) {
    const working = (async () => {
      const { rest } = ours;
      for (;;) {
        for (const [from, to] of [
          ['b', 'd'],
          ['d', 'b'],
        ] as const) {
          const source = { type: 'copy', name: 'disk', pool: from };
          await rest.must('POST', custom(to), { name: 'k', type: 'custom', source });
          await rest.must('POST', custom(to), { name: 'n', content_type: 'block', config: { size: '4MiB' } });
          await rest.must('PUT', `${custom(to)}/n`, { config: { size: '6MiB' } });
          await rest.must('POST', `${custom(to)}/k/snapshots`, { name: 's9' });
          await rest.must('POST', `${custom(to)}/k`, { name: 'm', pool: from });
          await rest.must('PUT', `${custom(from)}/m`, { restore: 's1' });
          for (const one of [`${custom(from)}/m`, `${custom(to)}/n`]) await rest.must('DELETE', one);
        }
      }
    })().catch(() => undefined);
    await sleep(60 + Math.random() * 600);
    await ours.crash();
    await working;
    const seen = async () => ({
      records: await Promise.all(
        pools.map(async (pool) =>
          (await names(pool)).filter((name) => !name.includes('/')).map((name) => `default_${name}`),
        ),
      ),
      directories: pools.map(inPool),
    });
    await waitFor('what is on record and no more', seen, ({ records, directories }) => {
      return JSON.stringify(records) === JSON.stringify(directories);
    });
    expect(pools.map((pool) => read(ours, pool, 'disk'))).toEqual(before);
    for (const pool of pools) {
      const all = (await names(pool)).filter((name) => /^[kmn]$/.test(name));
      for (const name of all) {
        // However it ended, it is as large as its record says.
        if (name === 'n')
          expect(read(ours, pool, 'n')).toContain(`${parseInt((await sizeOf(pool, 'n')) ?? '') * MiB} 0`);
        await ours.rest.must('DELETE', `${custom(pool)}/${name}`);
      }
    }
  }
  for (const pool of pools) {
    await ours.rest.must('DELETE', `${custom(pool)}/disk`);
    const snapshots = join(ours.dir, 'storage-pools', pool, 'custom-snapshots');
    if (pool === 'd') expect(readdirSync(snapshots)).toEqual([]);
  }
});
