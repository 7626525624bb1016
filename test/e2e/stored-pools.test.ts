import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../support/client.ts';
import { prepareGround, type Ground } from '../support/ground.ts';
import { ownClientLife as life } from '../support/lives.ts';
import { waitFor } from '../support/wait-for.ts';

// Where the kernel has what they need nobody has KVM: test/lab/vm emulates every instruction.
jest.setTimeout(900_000);

/** A program's output; empty where it is not there, or fails. */
function say(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

interface Kind {
  driver: string;
  /** @param name that nothing else on the machine has */
  options: (name: string) => string[];
  missing: () => string | undefined;
  /** What it has of the pool, all but what a pool is without volumes. */
  things: (name: string) => string[];
  /** What is left of a pool that was deleted. */
  left: (name: string) => string;
  /** What writing fails with when there is no more room. */
  full: RegExp;
}

const noLvm = () =>
  say('lvm', 'version').includes('Driver version') ? undefined : 'no lvm2, or no device mapper in the kernel';
const logicalVolumes = (name: string) =>
  say('lvs', '--noheadings', '--options', 'lv_name', name)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== 'LXDThinPool');
const lvm = (title: string, ...options: string[]): [string, Kind] => [
  title,
  {
    driver: 'lvm',
    options: (name) => ['size=6GiB', `lvm.vg_name=${name}`, 'volume.size=400MiB', ...options],
    missing: noLvm,
    things: logicalVolumes,
    left: (name) => say('vgs', name) + say('dmsetup', 'ls').replace(/^(?!.*lxdtse2e).*\n?/gm, ''),
    full: /No space left/,
  },
];

const kinds: Record<string, Kind> = Object.fromEntries([
  lvm('lvm with ext4', 'volume.block.filesystem=ext4'),
  lvm('lvm with xfs', 'volume.block.filesystem=xfs'),
  lvm('lvm without a thin pool', 'lvm.use_thinpool=false'),
  [
    'zfs',
    {
      driver: 'zfs',
      options: (name: string) => ['size=4GiB', `zfs.pool_name=${name}`],
      missing: () => {
        const [, major = '0', minor = '0'] = /^zfs-kmod-(\d+)\.(\d+)/m.exec(say('zfs', 'version')) ?? [];
        return Number(major) > 2 || (major === '2' && Number(minor) >= 2)
          ? undefined
          : 'no OpenZFS, or one before 2.2, which cannot map ids';
      },
      things: (name: string) =>
        say('zfs', 'list', '-H', '-r', '-t', 'filesystem,volume', '-o', 'name', name)
          .split('\n')
          .map((line) => line.slice(name.length + 1))
          // Where what others were cloned from is kept may stay: nothing is in it.
          .filter((line) => line.includes('/') && !/^deleted\/[^/]+$/.test(line)),
      left: (name: string) => say('zpool', 'list', name),
      full: /Disk quota exceeded/,
    },
  ],
]);

let number = 0;
for (const [title, kind] of Object.entries(kinds)) {
  const missing = kind.missing();
  if (missing) console.log(`skipped: ${title}: ${missing}`);
  (missing ? describe.skip : describe)(title, () => {
    storedPool(kind, `lxdtse2e${process.pid}x${(number += 1)}`);
  });
}

/** Instances and volumes in a pool whose volumes are mounted only while they are used: pool `p`; `d` is of directories. */
function storedPool(kind: Kind, name: string): void {
  let ground: Ground;
  let client: Client;
  let fingerprint: string;

  const must = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await client(args, { timeoutMs: 600_000 });
    if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const fails = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await client(args, { timeoutMs: 600_000 });
    expect([args, code]).toEqual([args, 1]);
    return stderr;
  };
  const inside = (instance: string, script: string): Promise<string> =>
    must('exec', instance, '--', 'sh', '-ec', script);
  const rest = (path: string) => ground.server.rest.must('GET', path);
  const volume = (...args: string[]) => must('storage', 'volume', ...args);
  /** What is mounted of the pool, where the daemon lives. */
  const mounted = (): string[] => {
    const start = join(ground.server.dir, 'storage-pools/p/');
    return readFileSync(`/proc/${ground.server.pid}/mounts`, 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((target) => target.startsWith(start))
      .map((target) => target.slice(start.length))
      .sort();
  };
  const mountedIs = (...expected: string[]) =>
    waitFor(
      `nothing mounted but ${expected.join(' ')}`,
      () => Promise.resolve(mounted()),
      (all) => all.join() === expected.join(),
    );
  const note = (instance: string) => must('file', 'pull', `${instance}/root/note`, '-');
  const write = (instance: string, text: string) => inside(instance, `echo ${text} >/root/note; sync`);

  beforeAll(async () => {
    ground = await prepareGround('stored', (dir) => life.start(dir));
    client = life.client(ground.server.dir, join(ground.dir, 'home'));
    await must('storage', 'create', 'p', kind.driver, ...kind.options(name));
    await must('storage', 'create', 'd', 'dir');
    await must('image', 'import', ground.image.unified, '--alias', 'busybox');
    fingerprint = basename(String(((await rest('/1.0/images')).metadata as string[])[0]));
    await must('launch', 'busybox', 'c1', '-s', 'p');
  });

  afterAll(async () => {
    await ground.clear();
    expect(kind.left(name)).toBe('');
  });

  test('it runs with ids of its own, and is all that is mounted', async () => {
    await mountedIs('containers/c1');
    expect(await inside('c1', 'id -u; stat -c %u /root /bin/busybox; touch /root/mine; rm /root/mine')).toBe(
      '0\n0\n0\n',
    );
    const { pid } = (await rest('/1.0/instances/c1/state')).metadata as { pid: number };
    expect(execFileSync('stat', ['-c', '%u', `/proc/${pid}`], { encoding: 'utf8' })).toBe('1000000\n');
    expect(kind.things(name).some((one) => one.includes(fingerprint))).toBe(true);
    expect(await must('storage', 'info', 'p')).toMatch(/total space: +\d/);
  });

  test('files are put and read while it runs, and when it does not', async () => {
    await must('file', 'push', ground.image.metadata, 'c1/root/pushed', '--uid', '7', '--mode', '0640');
    expect(await inside('c1', 'stat -c %u:%a /root/pushed')).toBe('7:640\n');
    await write('c1', 'one');
    await must('stop', '-f', 'c1');
    await mountedIs();
    expect(await note('c1')).toBe('one\n');
    await mountedIs();
    await must('start', 'c1');
    expect(await inside('c1', 'cat /root/note; rm /root/pushed')).toBe('one\n');
  });

  test('it goes back to its snapshots, which were taken while it ran', async () => {
    await write('c1', 'one');
    await must('snapshot', 'c1', 's1');
    await write('c1', 'two');
    await must('snapshot', 'c1', 's2');
    await write('c1', 'three');
    await must('restore', 'c1', 's2');
    expect(await inside('c1', 'cat /root/note')).toBe('two\n');
    await write('c1', 'three');
    await must('restore', 'c1', 's1');
    expect(await inside('c1', 'cat /root/note')).toBe('one\n');
    await must('restore', 'c1', 's2');
    expect(await inside('c1', 'cat /root/note')).toBe('two\n');
    expect((await must('list', 'c1', '-c', 'S', '-f', 'csv')).trim()).toBe('2');
    await mountedIs('containers/c1');
  });

  test('copies: with snapshots, of a snapshot, into another pool and back, brought up to date', async () => {
    await must('copy', 'c1', 'whole');
    await must('copy', 'c1/s1', 'then');
    await must('copy', 'c1', 'across', '-s', 'd');
    await must('copy', 'across', 'back', '-s', 'p');
    await must('copy', 'back/s1', 'deep');
    for (const [copy, text] of [
      ['whole', 'two'],
      ['then', 'one'],
      ['back', 'two'],
      ['deep', 'one'],
    ] as const)
      expect([copy, await note(copy)]).toEqual([copy, `${text}\n`]);
    await write('c1', 'later');
    await must('copy', 'c1', 'back', '--refresh');
    expect(await note('back')).toBe('later\n');
    await must('start', 'then');
    expect(await inside('then', 'cat /root/note; echo mine >/root/note')).toBe('one\n');
    await mountedIs('containers/c1', 'containers/then');
    // What others were copied from goes first.
    await must('delete', 'whole');
    await must('delete', 'c1/s1');
    await must('restore', 'back', 's1');
    expect(await note('back')).toBe('one\n');
    expect(await inside('then', 'cat /root/note')).toBe('mine\n');
  });

  test('it is renamed, moved, exported, imported and published', async () => {
    await must('move', 'back', 'moved');
    await must('move', 'moved', '-s', 'd');
    await must('move', 'moved', '-s', 'p');
    await must('restore', 'moved', 's2');
    const file = join(ground.dir, 'backup.tar.gz');
    await must('export', 'moved', file);
    await must('delete', 'moved');
    await must('import', file, 'in', '-s', 'p');
    expect(await note('in')).toBe('two\n');
    await must('publish', 'in/s1', '--alias', 'published');
    await must('launch', 'published', 'new', '-s', 'p');
    expect(await inside('new', 'cat /root/note')).toBe('one\n');
    for (const gone of ['across', 'then', 'deep', 'in', 'new']) await must('delete', '-f', gone);
    await must('image', 'delete', 'published');
    await mountedIs('containers/c1');
  });

  test('a limit holds, and is another while it runs', async () => {
    const fill = (path: string, mib: number) =>
      client(
        ['exec', 'c1', '--', 'sh', '-c', `dd if=/dev/urandom of=${path} bs=1M count=${mib} conv=fsync`],
        {
          timeoutMs: 600_000,
        },
      );
    await must('config', 'device', 'override', 'c1', 'root', 'size=450MiB').catch(() =>
      must('config', 'device', 'set', 'c1', 'root', 'size=450MiB'),
    );
    expect((await fill('/root/big', 500)).stderr).toMatch(kind.full);
    await inside('c1', 'rm /root/big; sync');
    await must('config', 'device', 'set', 'c1', 'root', 'size=600MiB');
    expect((await fill('/root/big', 500)).stderr).not.toMatch(kind.full);
    const { disk } = (await rest('/1.0/instances/c1/state')).metadata as {
      disk: { root: { usage: number } };
    };
    expect(disk.root.usage).toBeGreaterThan(300 * 1024 ** 2);
    await inside('c1', 'rm /root/big');
    await volume('create', 'p', 'small', 'size=350MiB');
    await volume('attach', 'p', 'small', 'c1', '/small');
    expect((await fill('/small/f', 400)).stderr).toMatch(kind.full);
    await volume('detach', 'p', 'small', 'c1');
    await volume('set', 'p', 'small', 'size=600MiB');
    await volume('attach', 'p', 'small', 'c1', '/small');
    expect((await fill('/small/f', 400)).stderr).not.toMatch(kind.full);
    await volume('detach', 'p', 'small', 'c1');
    await volume('delete', 'p', 'small');
  });

  test('custom volumes are in many instances, have snapshots, are copied and moved', async () => {
    await must('launch', 'busybox', 'c2', '-s', 'd');
    await volume('create', 'p', 'v1');
    await volume('attach', 'p', 'v1', 'c1', '/data');
    await volume('attach', 'p', 'v1', 'c2', '/data');
    await mountedIs('containers/c1', 'custom/default_v1');
    await inside('c1', 'echo one >/data/file; chown 5:6 /data/file');
    expect(await inside('c2', 'stat -c %u:%g /data/file; cat /data/file; sync')).toBe('5:6\none\n');
    await volume('snapshot', 'p', 'v1', 's1');
    await inside('c2', 'echo two >/data/file');
    expect(await fails('storage', 'volume', 'restore', 'p', 'v1', 's1')).toContain('running instances');
    for (const one of ['c1', 'c2']) await volume('detach', 'p', 'v1', one);
    await mountedIs('containers/c1');
    await volume('copy', 'p/v1', 'p/v2');
    await volume('copy', 'p/v1', 'd/v3');
    await volume('restore', 'p', 'v1', 's1');
    await volume('move', 'p/v1', 'd/v1');
    await volume('move', 'd/v1', 'p/v4');
    await volume('rename', 'p', 'v4', 'v5');
    await volume('attach', 'p', 'v5', 'c2', '/v5');
    await volume('attach', 'p', 'v2', 'c2', '/v2');
    expect(await inside('c2', 'cat /v5/file /v2/file; stat -c %u /v5/file')).toBe('one\ntwo\n5\n');
    await must('restart', '-f', 'c2');
    expect(await inside('c2', 'cat /v5/file /v2/file')).toBe('one\ntwo\n');
    for (const one of ['v5', 'v2']) {
      await volume('detach', 'p', one, 'c2');
      await volume('delete', 'p', one);
    }
    await volume('delete', 'd', 'v3');
    await must('delete', '-f', 'c2');
    await mountedIs('containers/c1');
  });

  test('killed at any moment, the daemon takes over what runs, unmounts all else, and leaves nothing half done', async () => {
    await must('init', 'busybox', 'turns', '-s', 'p');
    await must('snapshot', 'turns', 'kept');
    const { metadata } = await rest('/1.0/instances/c1/state');
    const listed = async (filter: string) =>
      (await must('list', '-c', 'n', '-f', 'csv', filter)).trim().split('\n').filter(Boolean).sort();
    for (let i = 0; i < 3; i++) {
      const working = (async () => {
        for (;;) {
          await must('start', 'turns');
          await must('copy', 'turns', 'k');
          await must('stop', '-f', 'turns');
          await must('restore', 'turns', 'kept');
          await must('move', 'k', '-s', 'd');
          await must('move', 'k', '-s', 'p');
          await must('delete', 'k');
        }
      })().catch(() => undefined);
      await sleep(1_000 + Math.random() * 15_000);
      await ground.server.crash();
      await working;
      const running = await listed('status=running');
      expect(running).toContain('c1');
      await mountedIs(...running.map((one) => `containers/${one}`));
      const { pid } = metadata as { pid: number };
      expect((await rest('/1.0/instances/c1/state')).metadata).toMatchObject({ pid });
      await inside('c1', `echo ${i} >/root/round`);
      await client(['stop', '-f', 'turns']);
      await client(['delete', '-f', 'k']);
      expect(await listed('')).toEqual(['c1', 'turns']);
      expect(kind.things(name).filter((one) => /partial/.test(one))).toEqual([]);
      await must('restore', 'turns', 'kept');
    }
    await must('delete', 'turns');
  });

  test('nothing is left of what is deleted', async () => {
    expect(await fails('storage', 'delete', 'p')).toMatch(/in use|not empty/);
    await must('delete', '-f', 'c1');
    await must('image', 'delete', fingerprint);
    await mountedIs();
    expect(kind.things(name)).toEqual([]);
    for (const of of readdirSync(join(ground.server.dir, 'storage-pools/p')))
      expect([of, readdirSync(join(ground.server.dir, 'storage-pools/p', of))]).toEqual([of, []]);
  });
}
