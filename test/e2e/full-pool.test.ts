import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { makeBusyboxImage } from '../support/busybox.ts';
import { ownClient, stockClient, type Client } from '../support/client.ts';
import { lxdTs } from '../support/daemon.ts';
import { makeTemporary } from '../support/ground.ts';
import { HostDaemon } from '../support/host-daemon.ts';
import { stockClientMissing } from '../support/reference.ts';

jest.setTimeout(120_000);

/** A pool that is full refuses in so many words, has then what it had before, and takes it all once it has grown. */
const mib = 1024 ** 2;
const full = /No space left on device/;

let dir: string;
let daemon: HostDaemon;
let own: Client;

const must = (method: string, path: string, body?: unknown) => daemon.rest.must(method, path, body);
const text = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await own(args);
  if (code !== 0) throw new Error(`${args.join(' ')}: ${code}\n${stdout}${stderr}`);
  return stdout;
};
const volume = (...args: string[]) => text('storage', 'volume', ...args);
const fails = async (...args: string[]): Promise<string> => {
  const { code, stderr } = await own(args);
  expect(code).toBe(1);
  return stderr;
};
const place = (pool: string, ...rest: string[]) => join(daemon.dir, 'storage-pools', pool, ...rest);

/** All that is in the pool, by name, and its records. */
async function state(): Promise<unknown> {
  const kinds = ['containers', 'containers-snapshots', 'custom', 'custom-snapshots', 'images'];
  return {
    there: kinds.map((kind) => readdirSync(place('s', kind), { recursive: false }).sort()),
    volumes: (await must('GET', '/1.0/storage-pools/s/volumes')).metadata,
    instances: (await must('GET', '/1.0/instances')).metadata,
    uploads: readdirSync(join(daemon.dir, 'backups/instances')),
  };
}

/** Until nothing more goes in. */
async function fill(): Promise<void> {
  const piece = randomBytes(4 * mib);
  for (let i = 0; i < 100; i++)
    await writeFile(place('s', 'custom/default_fill', `f${i}`), piece).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      i = 100;
    });
}

beforeAll(async () => {
  dir = makeTemporary('full-pool');
  daemon = new HostDaemon(join(dir, 'server'));
  await daemon.start();
  own = ownClient(lxdTs, daemon.dir, join(dir, 'home'));
  await text('storage', 'create', 's', 'btrfs', 'size=120MiB');
  await text('storage', 'create', 'd', 'dir');
  await volume('create', 's', 'fill');
  await volume('create', 'd', 'big');
  await writeFile(place('d', 'custom/default_big/file'), randomBytes(60 * mib));
  await volume('export', 'd', 'big', join(dir, 'big.tar'), '--compression', 'none');
  await text('image', 'import', makeBusyboxImage(join(dir, 'image')).unified, '--alias', 'bb');
  await text('init', 'bb', 'c1', '-s', 'd');
  await fill();
});

afterAll(async () => {
  await text('delete', 'c1');
  for (const { fingerprint } of JSON.parse(await text('image', 'list', '-f', 'json')) as {
    fingerprint: string;
  }[])
    await text('image', 'delete', fingerprint);
  for (const pool of ['s', 'd']) {
    const found = (await must('GET', `/1.0/storage-pools/${pool}/volumes/custom`)).metadata as string[];
    for (const path of found) if (!path.includes('/snapshots/')) await must('DELETE', path);
    await text('storage', 'delete', pool);
  }
  await daemon.end('SIGTERM');
  rmSync(dir, { recursive: true });
});

test.each([
  ['an import', ['storage', 'volume', 'import', 's', '{dir}/big.tar', 'x']],
  ['a copy from another pool', ['storage', 'volume', 'copy', 'd/big', 's/x']],
  ['a move from another pool', ['storage', 'volume', 'move', 'd/big', 's/x']],
  ['an unpacked image', ['init', 'bb', 'c2', '-s', 's']],
  ['a copy of an instance', ['copy', 'c1', 'c2', '-s', 's']],
  ['a move of an instance', ['move', 'c1', '-s', 's']],
])('%s is refused and leaves everything as before', async (_what, args) => {
  const before = await state();
  expect(await fails(...args.map((word) => word.replace('{dir}', dir)))).toMatch(full);
  expect(await state()).toEqual(before);
  expect(existsSync(place('d', 'custom/default_big/file'))).toBe(true);
});

test('a snapshot is whole, or is not there', async () => {
  const before = await state();
  const { code, stderr } = await own(['storage', 'volume', 'snapshot', 's', 'fill', 'snap']);
  if (code === 0) {
    const snapshot = place('s', 'custom-snapshots/default_fill/snap/f0');
    expect(readFileSync(snapshot).equals(readFileSync(place('s', 'custom/default_fill/f0')))).toBe(true);
    await volume('delete', 's', 'fill/snap');
  } else expect(stderr).toMatch(full);
  expect(await state()).toEqual(before);
});

test('grown while it is used, it takes what it refused; it becomes no smaller', async () => {
  await text('storage', 'set', 's', 'size=300MiB');
  const { space } = (await must('GET', '/1.0/storage-pools/s/resources')).metadata as {
    space: { total: number };
  };
  expect(space.total).toBe(300 * mib);
  expect(await text('storage', 'get', 's', 'size')).toBe('300MiB\n');
  await volume('import', 's', join(dir, 'big.tar'), 'x');
  await text('init', 'bb', 'c2', '-s', 's');
  await text('delete', 'c2');
  expect(
    readFileSync(place('s', 'custom/default_x/file')).equals(
      readFileSync(place('d', 'custom/default_big/file')),
    ),
  ).toBe(true);
  expect(await fails('storage', 'set', 's', 'size=200MiB')).toContain('cannot become smaller');
  expect(await text('storage', 'get', 's', 'size')).toBe('300MiB\n');
  await volume('delete', 's', 'x');
});

test('a copy is brought up to date, by both clients, in the same pool and in another', async () => {
  const stock = stockClientMissing() ? undefined : stockClient(daemon.dir, join(dir, 'stock'));
  await volume('create', 's', 'src');
  await writeFile(place('s', 'custom/default_src/file'), 'one');
  await volume('snapshot', 's', 'src', 's1');
  for (const pool of ['s', 'd']) await volume('copy', 's/src', `${pool}/dst`);
  await writeFile(place('s', 'custom/default_src/file'), 'two');
  await volume('snapshot', 's', 'src', 's2');
  await volume('delete', 's', 'src/s1');
  for (const [pool, client] of [
    ['s', own],
    ['d', stock ?? own],
  ] as const) {
    const { code } = await client(['storage', 'volume', 'copy', 's/src', `${pool}/dst`, '--refresh']);
    expect(code).toBe(0);
    expect(readFileSync(place(pool, 'custom/default_dst/file'), 'utf8')).toBe('two');
    expect(readdirSync(place(pool, 'custom-snapshots/default_dst'))).toEqual(['s2']);
    const listed = await volume('list', pool, 'type=custom', '-f', 'csv');
    expect(listed).toContain('custom (snapshot),dst/s2,');
    expect(listed).not.toContain('dst/s1');
    await volume('delete', pool, 'dst');
  }
  await volume('delete', 's', 'src');
});
