import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBusyboxImage } from '../support/busybox.ts';
import { makeTemporary } from '../support/ground.ts';
import { HostDaemon } from '../support/host-daemon.ts';

/** What an instance was can be had again: on both kinds of pools, while it runs too, and across them. */
let dir: string;
let daemon: HostDaemon;

const must = (method: string, path: string, body?: unknown) => daemon.rest.must(method, path, body);
const file = (pool: string, ...parts: string[]): string =>
  join(daemon.dir, 'storage-pools', pool, ...parts, 'rootfs/root/note');
const note = (pool: string, ...parts: string[]): string => readFileSync(file(pool, ...parts), 'utf8');
const snapshots = async (name: string): Promise<string[]> =>
  ((await must('GET', `/1.0/instances/${name}/snapshots`)).metadata as string[]).map(
    (path) => path.split('/').pop() ?? '',
  );
const state = async (name: string) =>
  (await must('GET', `/1.0/instances/${name}/state`)).metadata as { status: string; pid: number };
let fingerprint: string;

interface InstanceView {
  name: string;
  status: string;
}

beforeAll(async () => {
  dir = makeTemporary('snapshots');
  daemon = new HostDaemon(join(dir, 'server'));
  await daemon.start();
  await must('POST', '/1.0/storage-pools', { name: 'b', driver: 'btrfs', config: { size: '1GiB' } });
  await must('POST', '/1.0/storage-pools', { name: 'd', driver: 'dir' });
  const image = readFileSync(makeBusyboxImage(join(dir, 'image')).unified);
  const headers = { 'Content-Type': 'application/octet-stream' };
  const uploaded = await daemon.rest.must('POST', '/1.0/images', image, headers);
  fingerprint = (uploaded.metadata as { metadata: { fingerprint: string } }).metadata.fingerprint;
});

afterAll(async () => {
  await must('DELETE', `/1.0/images/${fingerprint}`);
  for (const pool of ['b', 'd']) await must('DELETE', `/1.0/storage-pools/${pool}`);
  await daemon.end('SIGTERM');
  rmSync(dir, { recursive: true });
});

describe.each(['b', 'd'])('in pool %s', (pool) => {
  const other = pool === 'b' ? 'd' : 'b';
  const root = (of: string) => ({ root: { type: 'disk', path: '/', pool: of } });

  beforeAll(async () => {
    const source = { type: 'image', fingerprint };
    await must('POST', '/1.0/instances', { name: 'c1', source, devices: root(pool), profiles: [] });
    await must('PUT', '/1.0/instances/c1/state', { action: 'start' });
  });
  afterAll(async () => {
    const found = (await must('GET', '/1.0/instances?recursion=1')).metadata as InstanceView[];
    for (const { name, status } of found) {
      if (status === 'Running')
        await must('PUT', `/1.0/instances/${name}/state`, { action: 'stop', force: true });
      await must('DELETE', `/1.0/instances/${name}`);
    }
    for (const left of ['containers', 'containers-snapshots'])
      expect(readdirSync(join(daemon.dir, 'storage-pools', pool, left))).toEqual([]);
    expect(readdirSync(join(daemon.dir, 'snapshots'))).toEqual([]);
    expect(readdirSync(join(daemon.dir, 'devices'))).toEqual([]);
  });

  test('a running instance is snapshot and goes on', async () => {
    const { pid } = await state('c1');
    writeFileSync(file(pool, 'containers/c1'), 'one');
    await must('POST', '/1.0/instances/c1/snapshots', {});
    writeFileSync(file(pool, 'containers/c1'), 'two');
    await must('POST', '/1.0/instances/c1/snapshots', { name: 's2' });
    writeFileSync(file(pool, 'containers/c1'), 'now');
    expect(await state('c1')).toMatchObject({ status: 'Running', pid });
    expect(await snapshots('c1')).toEqual(['snap0', 's2']);
    expect(note(pool, 'containers-snapshots/c1/snap0')).toBe('one');
    expect(note(pool, 'containers-snapshots/c1/s2')).toBe('two');
    expect(existsSync(join(daemon.dir, 'snapshots/c1/s2'))).toBe(true);
    const full = (await must('GET', '/1.0/instances?recursion=2')).metadata as { snapshots: unknown[] }[];
    expect(full[0]?.snapshots).toMatchObject([{ name: 'snap0' }, { name: 's2', stateful: false }]);
  });

  test('it goes back, is stopped for that and started again', async () => {
    const { pid } = await state('c1');
    await must('PUT', '/1.0/instances/c1', { restore: 'snap0' });
    expect(note(pool, 'containers/c1')).toBe('one');
    const after = await state('c1');
    expect(after.status).toBe('Running');
    expect(after.pid).not.toBe(pid);
    expect(await snapshots('c1')).toEqual(['snap0', 's2']);
  });

  test('copies: with snapshots, alone, of a snapshot, in either pool', async () => {
    writeFileSync(file(pool, 'containers/c1'), 'now');
    const copy = (name: string, source: object, of = pool) =>
      must('POST', '/1.0/instances', {
        name,
        profiles: [],
        devices: root(of),
        source: { type: 'copy', ...source },
      });
    await copy('all', { source: 'c1' });
    await copy('alone', { source: 'c1', container_only: true });
    await copy('then', { source: 'c1/s2' });
    await copy('across', { source: 'c1' }, other);
    expect(note(pool, 'containers/all')).toBe('now');
    expect(note(pool, 'containers/alone')).toBe('now');
    expect(note(pool, 'containers/then')).toBe('two');
    expect(note(other, 'containers/across')).toBe('now');
    expect(note(pool, 'containers-snapshots/all/snap0')).toBe('one');
    expect(note(other, 'containers-snapshots/across/snap0')).toBe('one');
    expect(note(other, 'containers-snapshots/across/s2')).toBe('two');
    for (const name of ['all', 'across']) expect(await snapshots(name)).toEqual(['snap0', 's2']);
    for (const name of ['alone', 'then']) expect(await snapshots(name)).toEqual([]);
    // A refresh takes what is new, and only that.
    await must('DELETE', '/1.0/instances/c1/snapshots/snap0');
    await must('POST', '/1.0/instances/c1/snapshots', { name: 's3' });
    writeFileSync(file(pool, 'containers/c1'), 'later');
    for (const [name, of] of [
      ['all', pool],
      ['across', other],
    ] as const) {
      await copy(name, { source: 'c1', refresh: true }, of);
      expect(await snapshots(name)).toEqual(['s2', 's3']);
      expect(note(of, `containers/${name}`)).toBe('later');
      expect(note(of, `containers-snapshots/${name}/s3`)).toBe('now');
      expect(readdirSync(join(daemon.dir, 'storage-pools', of, 'containers-snapshots', name)).sort()).toEqual(
        ['s2', 's3'],
      );
    }
    await must('PUT', '/1.0/instances/all/state', { action: 'start' });
    await must('PUT', '/1.0/instances/across/state', { action: 'start' });
  });

  test('snapshots are renamed, follow a rename of their instance, and are deleted', async () => {
    await must('POST', '/1.0/instances/c1/snapshots/s2', { name: 'second' });
    await must('PUT', '/1.0/instances/c1/state', { action: 'stop', force: true });
    await must('POST', '/1.0/instances/c1', { name: 'c2' });
    expect(await snapshots('c2')).toEqual(['second', 's3']);
    expect(note(pool, 'containers-snapshots/c2/second')).toBe('two');
    await must('PUT', '/1.0/instances/c2', { restore: 'second' });
    expect(note(pool, 'containers/c2')).toBe('two');
    for (const name of ['second', 's3']) await must('DELETE', `/1.0/instances/c2/snapshots/${name}`);
    expect(readdirSync(join(daemon.dir, 'snapshots')).sort()).toEqual(['across', 'all']);
  });
});
