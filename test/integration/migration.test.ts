import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { duplexPair } from 'node:stream';
import { linuxHost } from '@lxd-ts/host';
import { openLiblxc } from '@lxd-ts/liblxc';
import { messageChannel, type MigratedSnapshot } from '@lxd-ts/rpc';
import { storageDriver } from '@lxd-ts/storage';
import { sendOutcome } from '../../packages/agent/src/migration/control.ts';
import { landingsOn, type Landings } from '../../packages/agent/src/migration/places.ts';
import { runSink, type Received, type SinkOptions } from '../../packages/agent/src/migration/sink.ts';
import { runSource, type SourceOptions } from '../../packages/agent/src/migration/source.ts';
import { deleteTree } from '../../packages/agent/src/migration/subvolumes.ts';
import { differences, makeOddTree } from '../support/odd-tree.ts';

const host = linuxHost();
const liblxc = openLiblxc({ lxcpath: '/nowhere', buildDir: resolve('packages/liblxc/build') });
const setReceived: SourceOptions['setReceived'] = (path, uuid) => liblxc.setReceived(path, uuid);
const run = (...[program, ...args]: [string, ...string[]]): string =>
  execFileSync(program, args, { encoding: 'utf8' });
const wait = { signal: AbortSignal.timeout(600_000) };

type Kind = 'btrfs' | 'dir';

let place: string;
const pools: Record<string, { path: string; kind: Kind }> = {};

function makePool(name: string, kind: Kind): void {
  const path = join(place, 'storage-pools', name);
  mkdirSync(path, { recursive: true });
  if (kind === 'btrfs') {
    run('truncate', '-s', '400M', `${path}.img`);
    run('mkfs.btrfs', '-q', `${path}.img`);
    run('mount', '-o', 'loop', `${path}.img`, path);
  }
  for (const directory of ['containers', 'containers-snapshots', 'custom', 'custom-snapshots'])
    mkdirSync(join(path, directory));
  pools[name] = { path, kind };
}

function placesOf(pool: string, name: string): { volume: string; snapshots: string } {
  const path = pools[pool]?.path ?? '';
  return {
    volume: join(path, 'containers', name),
    snapshots: join(path, 'containers-snapshots', name),
  };
}

/** What is half made there. */
const partials = (pool: string): string[] =>
  ['containers', 'containers-snapshots', 'custom'].flatMap((directory) =>
    readdirSync(join(pools[pool]?.path ?? '', directory)).filter((name) => name.startsWith('.')),
  );

const subvolumes = (pool: string): boolean => pools[pool]?.kind === 'btrfs';

function landingsOf(name: string, volume: string): Landings {
  const spec = { name, driver: pools[name]?.kind ?? '', config: {} };
  const pool = storageDriver(spec.driver)!.open(spec, {
    host,
    dir: place,
    overlayProgram: '',
    quotaProgram: '/bin/false',
  });
  return landingsOn({ host, liblxc }, [spec, pool], { type: 'container', project: 'default', name: volume });
}

const record = (name: string, second: number): MigratedSnapshot => ({
  name,
  config: { 'user.of': name },
  devices: { root: { type: 'disk', path: '/', pool: 'default' } },
  profiles: ['default'],
  ephemeral: false,
  stateful: false,
  architecture: 'x86_64',
  createdAt: new Date(1_700_000_000_000 + second * 1000).toISOString(),
  lastUsedAt: '',
  expiresAt: '',
});

function makeVolume(pool: string, name: string): void {
  const { volume } = placesOf(pool, name);
  if (subvolumes(pool)) run('btrfs', '-q', 'subvolume', 'create', volume);
  else mkdirSync(volume);
}

function snapshot(pool: string, name: string, as: string): void {
  const { volume, snapshots } = placesOf(pool, name);
  mkdirSync(snapshots, { recursive: true });
  if (!subvolumes(pool)) run('cp', '-a', volume, join(snapshots, as));
  else {
    run('btrfs', '-q', 'subvolume', 'snapshot', volume, join(snapshots, as));
    run('btrfs', 'property', 'set', '-ts', join(snapshots, as), 'ro', 'true');
  }
}

interface Move {
  from: [pool: string, name: string];
  to: [pool: string, name: string];
  snapshots: readonly MigratedSnapshot[];
  source?: Partial<SourceOptions>;
  sink?: Partial<SinkOptions>;
  /** What to do to the connection between them. */
  meddle?: (ends: {
    control: ReturnType<typeof duplexPair>;
    filesystem: ReturnType<typeof duplexPair>;
  }) => void;
}

/** Both ends in this process. */
async function migrate({ from, to, snapshots, source, sink, meddle }: Move): Promise<[Received, undefined]> {
  const ends = { control: duplexPair(), filesystem: duplexPair() };
  meddle?.(ends);
  const [near, far] = [0, 1].map((side) => ({
    control: messageChannel(ends.control[side as 0 | 1]),
    filesystem: messageChannel(ends.filesystem[side as 0 | 1]),
  })) as [Parameters<typeof runSource>[1], Parameters<typeof runSink>[1]];
  const places = placesOf(...from);
  const sending = runSource(
    {
      host,
      setReceived,
      name: from[1],
      transports: subvolumes(from[0]) ? ['btrfs', 'rsync'] : ['rsync'],
      volume: places.volume,
      snapshots: snapshots.map((one) => ({ ...one, path: join(places.snapshots, one.name) })),
      use: (one) =>
        Promise.resolve({
          path: one === undefined ? places.volume : join(places.snapshots, one),
          mapped: false,
          [Symbol.asyncDispose]: () => Promise.resolve(),
        }),
      running: false,
      index: { about: from[1] },
      compress: false,
      ...wait,
      ...source,
    },
    near,
  );
  const receiving = runSink(
    {
      host,
      setReceived,
      name: to[1],
      transports: subvolumes(to[0]) ? ['btrfs', 'rsync'] : ['rsync'],
      landings: landingsOf(...to),
      hasBase: false,
      present: undefined,
      unshift: (path, ranges, signal) => liblxc.shiftOwners(path, ranges, { signal }),
      compress: true,
      ...wait,
      ...sink,
    },
    far,
  ).then(async (received) => {
    await sendOutcome(far.control, true);
    return received;
  });
  const [sent, received] = await Promise.allSettled([sending, receiving]);
  if (received.status === 'rejected') throw Object.assign(received.reason as Error, { sent });
  if (sent.status === 'rejected') throw sent.reason as Error;
  return [received.value, undefined];
}

async function remove(pool: string, name: string): Promise<void> {
  const { volume, snapshots } = placesOf(pool, name);
  for (const one of existsSync(snapshots) ? readdirSync(snapshots) : []) {
    if (subvolumes(pool)) await deleteTree(host, join(snapshots, one), wait);
    else rmSync(join(snapshots, one), { recursive: true });
  }
  rmSync(snapshots, { recursive: true, force: true });
  if (subvolumes(pool)) await deleteTree(host, volume, wait);
  else rmSync(volume, { recursive: true, force: true });
}

const snapshots = [record('s1', 1), record('s2', 2)];

beforeAll(async () => {
  place = mkdtempSync('/tmp/lxd-ts-migration-');
  makePool('one', 'btrfs');
  makePool('two', 'btrfs');
  makePool('files', 'dir');
  for (const pool of ['one', 'files']) {
    makeVolume(pool, 'c1');
    const { volume } = placesOf(pool, 'c1');
    await makeOddTree(volume);
    snapshot(pool, 'c1', 's1');
    writeFileSync(join(volume, 'rootfs/new'), 'after the first');
    rmSync(join(volume, 'rootfs/var/fifo'));
    snapshot(pool, 'c1', 's2');
    writeFileSync(join(volume, 'rootfs/last'), 'after the second');
  }
});

afterAll(() => {
  for (const { path, kind } of Object.values(pools)) if (kind === 'btrfs') run('umount', path);
  rmSync(place, { recursive: true });
});

/** The sink's files are the source's, in every state, and nothing else is there. */
function same(from: [string, string], to: [string, string], states: readonly string[]): void {
  const [here, there] = [placesOf(...from), placesOf(...to)];
  expect(differences(here.volume, there.volume)).toBe('');
  expect(existsSync(there.snapshots) ? readdirSync(there.snapshots).sort() : []).toEqual([...states].sort());
  for (const name of states)
    expect(differences(join(here.snapshots, name), join(there.snapshots, name))).toBe('');
  expect(lstatSync(there.volume).mode & 0o777).toBe(0o100);
  expect(partials(to[0])).toEqual([]);
}

describe.each([
  ['one', 'two'],
  ['one', 'files'],
  ['files', 'one'],
  ['files', 'files'],
])('from %s to %s', (from, to) => {
  afterEach(async () => {
    await remove(to, 'copy');
  });

  test('with its snapshots: the same in every byte, id, link and attribute', async () => {
    const [received] = await migrate({ from: [from, 'c1'], to: [to, 'copy'], snapshots });
    expect(received).toEqual({ snapshots, gone: [], index: { about: 'c1' } });
    same([from, 'c1'], [to, 'copy'], ['s1', 's2']);
    const { volume } = placesOf(to, 'copy');
    const sparse = statSync(join(volume, 'rootfs/var/sparse'));
    expect(sparse.blocks * 512).toBeLessThan(1024 * 1024);
    expect(statSync(join(volume, 'rootfs/etc/hostname')).ino).toBe(
      statSync(join(volume, 'rootfs/etc/hostname.again')).ino,
    );
  });

  test('alone, while it runs', async () => {
    await migrate({ from: [from, 'c1'], to: [to, 'copy'], snapshots: [], source: { running: true } });
    same([from, 'c1'], [to, 'copy'], []);
  });

  test('only what is new is brought up to date, and what is no more goes', async () => {
    await migrate({ from: [from, 'c1'], to: [to, 'copy'], snapshots: snapshots.slice(0, 1) });
    const old = record('old', 9);
    snapshot(to, 'copy', 'old');
    const present = [old, ...snapshots.slice(0, 1)];
    const [received] = await migrate({
      from: [from, 'c1'],
      to: [to, 'copy'],
      snapshots,
      sink: { present },
    });
    expect(received).toMatchObject({ snapshots: snapshots.slice(1), gone: ['old'] });
    same([from, 'c1'], [to, 'copy'], ['s1', 's2']);
  });

  test('given up by the sink: the source hears why, nothing is left', async () => {
    const controller = new AbortController();
    const failed = migrate({
      from: [from, 'c1'],
      to: [to, 'copy'],
      snapshots,
      sink: { signal: controller.signal },
      meddle: ({ filesystem: [near] }) => {
        let seen = 0;
        const write = near.write.bind(near);
        near.write = ((chunk: Uint8Array, ...rest: unknown[]) => {
          seen += chunk.length;
          if (seen > 100_000) controller.abort(new Error('changed my mind'));
          return (write as (...all: unknown[]) => boolean)(chunk, ...rest);
        }) as typeof near.write;
      },
    });
    await expect(failed).rejects.toMatchObject({
      message: 'changed my mind',
      sent: { reason: { message: 'changed my mind' } },
    });
    const { volume, snapshots: kept } = placesOf(to, 'copy');
    expect([volume, kept].map((path) => existsSync(path))).toEqual([false, false]);
    expect(partials(to)).toEqual([]);
  });

  test('the connection is cut: both fail, nothing is left', async () => {
    const failed = migrate({
      from: [from, 'c1'],
      to: [to, 'copy'],
      snapshots,
      meddle: ({ filesystem, control }) => {
        let seen = 0;
        const [near] = filesystem;
        const write = near.write.bind(near);
        near.write = ((chunk: Uint8Array, ...rest: unknown[]) => {
          seen += chunk.length;
          if (seen > 100_000) for (const end of [...filesystem, ...control]) end.destroy();
          return (write as (...all: unknown[]) => boolean)(chunk, ...rest);
        }) as typeof near.write;
      },
    });
    await expect(failed).rejects.toMatchObject({ code: 'unavailable', sent: { status: 'rejected' } });
    const { volume, snapshots: kept } = placesOf(to, 'copy');
    expect([volume, kept].map((path) => existsSync(path))).toEqual([false, false]);
    expect(partials(to)).toEqual([]);
  });
});

test('nested subvolumes keep their places, in snapshots too', async () => {
  makeVolume('one', 'nested');
  const { volume } = placesOf('one', 'nested');
  mkdirSync(join(volume, 'rootfs/var'), { recursive: true });
  for (const name of ['rootfs/var/sub', 'rootfs/var/sub/deep']) {
    run('btrfs', '-q', 'subvolume', 'create', join(volume, name));
    writeFileSync(join(volume, name, 'file'), name);
  }
  const { snapshots: kept } = placesOf('one', 'nested');
  snapshot('one', 'nested', 's1');
  const nested = join(kept, 's1/rootfs/var/sub');
  run('btrfs', 'property', 'set', '-ts', join(kept, 's1'), 'ro', 'false');
  rmSync(nested, { recursive: true });
  run('btrfs', '-q', 'subvolume', 'snapshot', join(volume, 'rootfs/var/sub'), nested);
  // Where the one nested deeper was: not in what is sent.
  rmSync(join(nested, 'deep'), { recursive: true });
  run('btrfs', 'property', 'set', '-ts', join(kept, 's1'), 'ro', 'true');
  writeFileSync(join(volume, 'rootfs/var/sub/deep/later'), 'later');
  await migrate({ from: ['one', 'nested'], to: ['two', 'nested'], snapshots: [record('s1', 1)] });
  same(['one', 'nested'], ['two', 'nested'], ['s1']);
  const subvolume = (path: string) => lstatSync(join(placesOf('two', 'nested').volume, path)).ino;
  expect([subvolume('rootfs/var/sub'), subvolume('rootfs/var/sub/deep')]).toEqual([256, 256]);
  await remove('one', 'nested');
  await remove('two', 'nested');
});

test.each(['two', 'files'])(
  'shifted ids, of a volume and its snapshot, are those inside when they are in %s',
  async (to) => {
    const range = { outside: 100_000, inside: 0, length: 65_536 };
    const idMap = [
      { users: true, groups: false, ...range },
      { users: false, groups: true, ...range },
    ];
    const written = idMap.map(({ users, groups }) => ({
      Isuid: users,
      Isgid: groups,
      Hostid: 100_000,
      Nsid: 0,
      Maprange: 65_536,
    }));
    makeVolume('one', 'shifted');
    const { volume } = placesOf('one', 'shifted');
    const file = (name: string) => join(volume, name);
    writeFileSync(file('of root'), 'x');
    writeFileSync(file('of 70000 on the host'), 'x');
    writeFileSync(file('of two names'), 'x');
    linkSync(file('of two names'), file('the other name'));
    writeFileSync(file('with capabilities'), 'x');
    chownSync(file('of root'), 100_000, 100_005);
    chownSync(file('of 70000 on the host'), 70_000, 100_007);
    // Once shifted it is in the range again.
    chownSync(file('of two names'), 150_000, 165_000);
    run('setfacl', '-m', 'u:100042:r', file('of root'));
    const capability = '0100000300040000000000000000000000000000a0860100';
    run(
      'python3',
      '-c',
      `import os,sys; os.setxattr(sys.argv[1], 'security.capability', bytes.fromhex('${capability}'))`,
      file('with capabilities'),
    );
    chmodSync(file('of root'), 0o6755);
    snapshot('one', 'shifted', 's1');
    const s1 = { ...record('s1', 1), config: { 'volatile.last_state.idmap': JSON.stringify(written) } };
    const [received] = await migrate({
      from: ['one', 'shifted'],
      to: [to, 'shifted'],
      snapshots: [s1],
      source: { idMap },
    });
    expect(received.snapshots[0]?.config).toEqual({ 'volatile.last_state.idmap': '[]' });
    const places = placesOf(to, 'shifted');
    for (const directory of [places.volume, join(places.snapshots, 's1')]) {
      const owner = (name: string) => {
        const { uid, gid, mode } = lstatSync(join(directory, name));
        return [uid, gid, (mode & 0o7777).toString(8)];
      };
      expect(owner('of root')).toEqual([0, 5, '6755']);
      expect(owner('of 70000 on the host')).toEqual([70_000, 7, '644']);
      expect(owner('the other name')).toEqual([50_000, 65_000, '644']);
      expect(run('getfacl', '-cn', join(directory, 'of root'))).toContain('user:42:r--');
      expect(
        run('getfattr', '--only-values', '-n', 'security.capability', join(directory, 'with capabilities')),
      ).toHaveLength(20);
    }
    await remove('one', 'shifted');
    await remove(to, 'shifted');
  },
);
