import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBusyboxImage } from '../support/busybox.ts';
import { ownClient, stockClient, type Client } from '../support/client.ts';
import { lxdTs } from '../support/daemon.ts';
import { makeTemporary } from '../support/ground.ts';
import { HostDaemon } from '../support/host-daemon.ts';
import { stockClientMissing } from '../support/reference.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(120_000);

/** Custom volumes by the command line, in both kinds of pools and from one to the other, in instances that run. */
let dir: string;
let daemon: HostDaemon;
let own: Client;
let stock: Client;

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
const shell = (name: string, script: string) => text('exec', name, '--', 'sh', '-c', script);
const inPool = (pool: string, kind: string) => readdirSync(join(daemon.dir, 'storage-pools', pool, kind));
const names = async (pool: string): Promise<string[]> =>
  (await volume('list', pool, 'type=custom', '-f', 'csv'))
    .split('\n')
    .flatMap((line) => line.split(',')[1] ?? []);

beforeAll(async () => {
  dir = makeTemporary('volumes');
  daemon = new HostDaemon(join(dir, 'server'));
  await daemon.start();
  mkdirSync(join(dir, 'home'));
  own = ownClient(lxdTs, daemon.dir, join(dir, 'home'));
  stock = stockClient(daemon.dir, join(dir, 'stock'));
  await text('storage', 'create', 'b', 'btrfs', 'size=1GiB');
  await text('storage', 'create', 'd', 'dir');
  const image = readFileSync(makeBusyboxImage(join(dir, 'image')).unified);
  const headers = { 'Content-Type': 'application/octet-stream' };
  const uploaded = await daemon.rest.must('POST', '/1.0/images', image, headers);
  const { fingerprint } = (uploaded.metadata as { metadata: { fingerprint: string } }).metadata;
  for (const name of ['c1', 'c2']) await text('launch', fingerprint.slice(0, 12), name, '-s', 'b');
});

afterAll(async () => {
  try {
    await text('delete', '-f', 'c1', 'c2');
    for (const { fingerprint } of JSON.parse(await text('image', 'list', '-f', 'json')) as {
      fingerprint: string;
    }[])
      await text('image', 'delete', fingerprint);
    for (const pool of ['b', 'd']) {
      for (const kind of ['custom', 'custom-snapshots']) expect(inPool(pool, kind)).toEqual([]);
      await text('storage', 'delete', pool);
    }
  } finally {
    await daemon.end('SIGTERM');
  }
  rmSync(dir, { recursive: true });
});

describe.each(['b', 'd'])('in pool %s', (pool) => {
  const other = pool === 'b' ? 'd' : 'b';

  test('two instances have one volume, with their own owners in it', async () => {
    expect(await volume('create', pool, 'data', 'size=100MiB')).toBe('Storage volume data created\n');
    await volume('attach', pool, 'data', 'c1', '/srv');
    await volume('attach', pool, 'data', 'c2', 'shared', '/mnt/deep');
    await shell('c1', 'echo one > /srv/file; chown 7:8 /srv/file');
    expect(await shell('c2', 'cat /mnt/deep/file; stat -c "%u %g" /mnt/deep/file')).toBe('one\n7 8\n');
    expect(await fails('storage', 'volume', 'delete', pool, 'data')).toContain('still in use');
    expect(await fails('storage', 'volume', 'rename', pool, 'data', 'x')).toContain('running instances');
    expect(JSON.parse(await volume('list', pool, 'type=custom', '-f', 'json'))).toMatchObject([
      { name: 'data', used_by: ['/1.0/instances/c1', '/1.0/instances/c2'] },
    ]);
  });

  test('it is what it was after the daemon was killed, and after a restart of the instance', async () => {
    await daemon.end('SIGKILL');
    await daemon.start();
    await shell('c1', 'echo two >> /srv/file');
    await text('restart', '-f', 'c2');
    expect(await shell('c2', 'cat /mnt/deep/file')).toBe('one\ntwo\n');
  });

  test('snapshots are taken while it is used, and restored when it is not', async () => {
    await volume('snapshot', pool, 'data', 's1');
    await shell('c1', 'touch /srv/later');
    await volume('snapshot', pool, 'data', 's1', '--reuse');
    await volume('snapshot', pool, 'data');
    expect(await fails('storage', 'volume', 'snapshot', pool, 'data', 's1')).toContain('already in use');
    expect(await volume('list', pool, 'type=custom', '-c', 'nu', '-f', 'csv')).toBe(
      'data,2\ndata/s1,0\ndata/snap0,0\n',
    );
    expect(await volume('list', pool, 'name=data', '-c', 'U', '-f', 'csv')).toMatch(
      // Directories cannot tell without limits.
      pool === 'b' ? /^[\d.]+(B|KiB|MiB)\n$/ : /^\n$/,
    );
    expect(await fails('storage', 'volume', 'list', pool, '-c', 'nx')).toContain("shorthand char 'x'");
    expect(await text('storage', 'show', pool, '--resources')).toMatch(/^space:\n {2}used: \d+\n/);
    await shell('c1', 'echo three >> /srv/file');
    expect(await fails('storage', 'volume', 'restore', pool, 'data', 's1')).toContain('running instances');
    await volume('detach', pool, 'data', 'c1');
    await volume('detach', pool, 'data', 'c2', 'shared');
    expect(await fails('storage', 'volume', 'detach', pool, 'data', 'c2')).toContain('No device found');
    await volume('restore', pool, 'data', 's1');
    await volume('attach', pool, 'data', 'c1', '/srv');
    expect(await shell('c1', 'cat /srv/file; ls /srv')).toBe('one\ntwo\nfile\nlater\n');
    await volume('detach', pool, 'data', 'c1');
  });

  test('copies and moves to the other pool have the same files, owners and snapshots', async () => {
    await volume('copy', `${pool}/data`, `${other}/copy`);
    await volume('copy', `${pool}/data/s1`, `${pool}/alone`);
    await volume('move', `${other}/copy`, `${pool}/moved`);
    expect(await names(pool)).toEqual([
      'alone',
      'data',
      'data/s1',
      'data/snap0',
      'moved',
      'moved/s1',
      'moved/snap0',
    ]);
    expect(await names(other)).toEqual([]);
    for (const name of ['alone', 'moved']) {
      await volume('attach', pool, name, 'c1', 'v', '/v');
      expect(await shell('c1', 'cat /v/file; stat -c "%u %g" /v/file; stat -c "%u %a" /v')).toBe(
        'one\ntwo\n7 8\n0 711\n',
      );
      await volume('detach', pool, name, 'c1');
    }
  });

  if (stockClientMissing() === undefined)
    test('the stock client shows the same', async () => {
      for (const args of [
        ['list', pool],
        ['list', pool, 'type=custom', '-f', 'csv'],
        ['list', pool, '-f', 'yaml'],
        ['show', pool, 'data'],
        ['show', pool, 'data/s1'],
        ['show', pool, 'container/c1'].filter(() => pool === 'b'),
        // It shows 0 where a pool cannot tell; ours nothing.
        ['info', pool, 'data'].filter(() => pool === 'b'),
        ['get', pool, 'data', 'size'],
      ]) {
        if (args.length === 0) continue;
        const show = async (client: Client) => {
          const { stdout, ...rest } = await client(['storage', 'volume', ...args]);
          // The stock client leaves out zeros at the end of a second.
          return { ...rest, stdout: stdout.replaceAll(/(created_at: \S+:\d\d)\.\d+Z/g, '$1Z') };
        };
        const [ours, theirs] = await Promise.all([show(own), show(stock)]);
        expect(ours).toEqual(theirs);
      }
    });

  test('keys are set, shown, edited and unset', async () => {
    await volume('set', pool, 'data', 'user.note=mine', 'snapshots.expiry=1d');
    expect(await volume('get', pool, 'data', 'user.note')).toBe('mine\n');
    await volume('unset', pool, 'data', 'user.note');
    expect(await volume('show', pool, 'data')).not.toContain('user.note');
    expect(await fails('storage', 'volume', 'set', pool, 'data', 'wat=1')).toContain('Invalid option');
    expect(await fails('storage', 'volume', 'set', pool, 'data/s1', 'user.a=1')).toContain('read-only');
    const { code } = await own(['storage', 'volume', 'edit', pool, 'data'], {
      input: 'description: edited\nconfig:\n  size: 90MiB\n',
    });
    expect(code).toBe(0);
    expect(await volume('show', pool, 'data')).toContain('description: edited');
    await volume('rename', pool, 'data/s1', 'first');
    await volume('rename', pool, 'data', 'kept');
    expect(await names(pool)).toContain('kept/first');
  });

  test('a copy that is cut off by a kill is not there afterwards', async () => {
    await volume('create', pool, 'large');
    const path = join(daemon.dir, 'storage-pools', pool, 'custom/default_large');
    for (let i = 0; i < 300; i++) writeFileSync(join(path, `file${i}`), Buffer.alloc(256 * 1024, String(i)));
    const copying = own(['storage', 'volume', 'copy', `${pool}/large`, `${other}/large`]);
    const begun = () => inPool(other, 'custom').some((name) => name.includes('partial'));
    while (!begun()) await sleep(2);
    await daemon.end('SIGKILL');
    expect((await copying).code).toBe(1);
    await daemon.start();
    await waitFor(
      'the end of the copy',
      () => names(other),
      (all) => all.length === 0,
    );
    expect(inPool(other, 'custom')).toEqual([]);
    await volume('copy', `${pool}/large`, `${other}/large`);
    await volume('delete', other, 'large');
  });

  test('nothing is left of those that are deleted', async () => {
    for (const name of ['large', 'kept', 'alone', 'moved'])
      expect(await volume('delete', pool, name)).toBe(`Storage volume ${name} deleted\n`);
    expect(await fails('storage', 'volume', 'delete', pool, 'kept')).toContain(
      'Storage pool volume not found',
    );
  });
});

test('a limit holds where the pool can', async () => {
  await volume('create', 'b', 'small', 'size=8MiB');
  await volume('attach', 'b', 'small', 'c1', '/small');
  const write = (mib: number) =>
    own(['exec', 'c1', '--', 'sh', '-c', `dd if=/dev/urandom of=/small/f bs=1M count=${mib} conv=fsync`]);
  expect((await write(16)).stderr).toContain('quota');
  await volume('set', 'b', 'small', 'size=64MiB');
  expect((await write(16)).code).toBe(0);
  await volume('detach', 'b', 'small', 'c1');
  await volume('delete', 'b', 'small');
});
