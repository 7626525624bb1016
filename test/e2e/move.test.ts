import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBusyboxImage } from '../support/busybox.ts';
import { stockClient, type Client } from '../support/client.ts';
import { startDaemonCluster, type Cluster, type ClusterMember } from '../support/cluster.ts';
import { makeTemporary } from '../support/ground.ts';
import { stockClientMissing } from '../support/reference.ts';
import type { OperationView } from '../support/rest.ts';
import { waitFor } from '../support/wait-for.ts';

/** Instances go to other members with their snapshots, and to other pools; nothing of them stays behind. */
const life = (): void => {
  let dir: string;
  let cluster: Cluster;
  let lxc: Client;

  const member = (name: string): ClusterMember => cluster.members.find((one) => one.name === name)!;
  const must = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await lxc(words);
    if (code !== 0) throw new Error(`lxc ${words.join(' ')}: ${stderr}`);
    return stdout.trim();
  };
  const refused = async (...words: string[]): Promise<string> => {
    const { code, stderr } = await lxc(words);
    expect(code).not.toBe(0);
    return stderr;
  };
  const volume = (name: string, pool: string, ...parts: string[]): string =>
    // Its mounts are in a namespace of its own.
    join(`/proc/${member(name).pid}/root`, member(name).dir, 'storage-pools', pool, ...parts);
  const note = (name: string, pool: string, ...parts: string[]): string =>
    readFileSync(join(volume(name, pool, ...parts), 'rootfs/root/note'), 'utf8');
  const write = (name: string, pool: string, text: string): void =>
    writeFileSync(join(volume(name, pool, 'containers/c1'), 'rootfs/root/note'), text);
  const place = async (): Promise<string> => must('list', 'c1', '-c', 'nsL', '--format', 'csv');
  const left = (name: string, pool: string): string[] =>
    ['containers', 'containers-snapshots'].flatMap((kind) => readdirSync(volume(name, pool, kind)));

  beforeAll(async () => {
    dir = makeTemporary('move');
    cluster = await startDaemonCluster(join(dir, 'hosts'));
    lxc = stockClient(member('m1').dir, join(dir, 'home'));
    const { unified } = makeBusyboxImage(join(dir, 'image'));
    await must('image', 'import', unified, '--alias', 'bb');
    for (const { name } of cluster.members)
      await must('storage', 'create', 'fast', 'btrfs', '--target', name, 'size=400MiB');
    await must('storage', 'create', 'fast', 'btrfs');
  });

  afterAll(async () => {
    const over = await cluster.stopAll();
    rmSync(dir, { recursive: true, force: true });
    expect(over).toEqual([]);
  });

  test.each(['default', 'fast'])('stopped and running ones of pool %s', async (pool) => {
    await must('init', 'bb', 'c1', '--storage', pool, '--target', 'm1');
    write('m1', pool, 'one');
    await must('snapshot', 'c1', 's1');
    write('m1', pool, 'now');
    await must('move', 'c1', '--target', 'm2');
    expect(await place()).toBe('c1,STOPPED,m2');
    expect(note('m2', pool, 'containers/c1')).toBe('now');
    expect(note('m2', pool, 'containers-snapshots/c1/s1')).toBe('one');
    expect(left('m1', pool)).toEqual([]);
    expect(existsSync(join(member('m1').dir, 'containers/c1'))).toBe(false);
    await member('m1').rest.must('POST', '/1.0/instances?target=m1', {
      name: 'k1',
      source: { type: 'copy', source: 'c1' },
    });
    expect(note('m1', pool, 'containers/k1')).toBe('now');
    expect(note('m1', pool, 'containers-snapshots/k1/s1')).toBe('one');
    await must('delete', 'k1');
    await must('restore', 'c1', 's1');
    expect(note('m2', pool, 'containers/c1')).toBe('one');

    await must('start', 'c1');
    const running = { name: 'c1', migration: true, live: false };
    await member('m3').rest.must('POST', '/1.0/instances/c1?target=m3', running);
    expect(await place()).toBe('c1,RUNNING,m3');
    expect(await must('exec', 'c1', '--', 'cat', '/root/note')).toBe('one');
    expect(left('m2', pool)).toEqual([]);
    expect(readdirSync(volume('m3', pool, 'containers-snapshots/c1'))).toEqual(['s1']);
    expect(await must('query', '/1.0/instances/c1/snapshots')).toContain('s1');
    expect(await refused('move', 'c1', '--target', 'm9')).toMatch(/not found/);

    await must('stop', 'c1', '--force');
    await must('delete', 'c1');
    expect(left('m3', pool)).toEqual([]);
  });

  test.each(['default', 'fast'])(
    'a copy on another member is brought up to date in pool %s',
    async (pool) => {
      const copy = (source: string, name: string, more: object = {}) =>
        member('m2').rest.must('POST', '/1.0/instances?target=m2', {
          name,
          devices: { root: { type: 'disk', path: '/', pool } },
          source: { type: 'copy', source, ...more },
        });
      await must('init', 'bb', 'c1', '--storage', pool, '--target', 'm1');
      write('m1', pool, 'one');
      await must('snapshot', 'c1', 's1');
      write('m1', pool, 'two');
      await must('snapshot', 'c1', 's2');
      write('m1', pool, 'now');
      await copy('c1/s1', 'then');
      expect(note('m2', pool, 'containers/then')).toBe('one');
      await must('delete', 'then');

      await copy('c1', 'k1');
      await must('delete', 'c1/s1');
      await must('snapshot', 'c1', 's3');
      write('m1', pool, 'later');
      await must('snapshot', 'k1', 'own');
      await copy('c1', 'k1', { refresh: true, instance_only: true });
      expect(note('m2', pool, 'containers/k1')).toBe('later');
      expect(readdirSync(volume('m2', pool, 'containers-snapshots/k1')).sort()).toEqual(['own', 's1', 's2']);
      await copy('c1', 'k1', { refresh: true });
      expect(readdirSync(volume('m2', pool, 'containers-snapshots/k1')).sort()).toEqual(['s2', 's3']);
      expect(await must('query', '/1.0/instances/k1/snapshots')).not.toMatch(/own|s1/);
      expect(note('m2', pool, 'containers-snapshots/k1/s3')).toBe('now');
      // Also of one that runs; only the copy must not.
      await must('start', 'c1');
      await must('exec', 'c1', '--', 'sh', '-c', 'echo running > /root/note; sync');
      await copy('c1', 'k1', { refresh: true });
      expect(note('m2', pool, 'containers/k1')).toBe('running\n');
      await must('start', 'k1');
      const answer = await member('m2').rest.call('POST', '/1.0/instances?target=m2', {
        name: 'k1',
        source: { type: 'copy', source: 'c1', refresh: true },
      });
      expect(answer).toMatchObject({ metadata: { err: 'Cannot refresh a running instance' } });
      for (const name of ['k1', 'c1']) await must('delete', '-f', name);
      expect([...left('m1', pool), ...left('m2', pool)]).toEqual([]);
    },
  );

  test.each(['default', 'fast'])(
    'a link that breaks in the middle: whole at the source in pool %s',
    async (pool) => {
      const limit = (value: string) =>
        member('m1').rest.must('PATCH', `/1.0/storage-pools/${pool}`, { config: { 'rsync.bwlimit': value } });
      await must('init', 'bb', 'c1', '--storage', pool, '--target', 'm1');
      writeFileSync(join(volume('m1', pool, 'containers/c1'), 'rootfs/root/large'), randomBytes(24 << 20));
      write('m1', pool, 'whole');
      await limit('2MiB');
      const started = await member('m1').rest.send('POST', '/1.0/instances/c1?target=m2', {
        name: 'c1',
        migration: true,
        live: false,
      });
      const { id } = started.metadata as OperationView;
      await waitFor(
        'progress',
        () => member('m1').rest.send('GET', `/1.0/operations/${id}`),
        ({ metadata }) => typeof (metadata as OperationView).metadata?.['fs_progress'] === 'string',
      );
      cluster.underlay.plug(2, false);
      const over = await member('m1').rest.send('GET', `/1.0/operations/${id}/wait`);
      expect(over.metadata).toMatchObject({
        status: 'Failure',
        err: expect.stringMatching(/m2|lost|reach/) as string,
      });
      expect(await place()).toBe('c1,STOPPED,m1');
      expect(note('m1', pool, 'containers/c1')).toBe('whole');
      cluster.underlay.plug(2, true);
      await waitFor(
        'nothing left of it',
        () => Promise.resolve([...left('m2', pool), ...left('m1', pool)]),
        (all) => all.join() === 'c1',
      );
      await limit('');
      // As soon as the failed one is settled.
      await waitFor(
        'the same again',
        () => lxc(['move', 'c1', '--target', 'm2']),
        ({ code }) => code === 0,
      );
      expect(note('m2', pool, 'containers/c1')).toBe('whole');
      await must('delete', 'c1');
    },
  );

  test('to another pool, and to another name on the way', async () => {
    await must('init', 'bb', 'c1', '--storage', 'default', '--target', 'm2');
    write('m2', 'default', 'one');
    await must('snapshot', 'c1', 's1');
    await must('move', 'c1', 'c2', '--storage', 'fast');
    expect(left('m2', 'default')).toEqual([]);
    expect(note('m2', 'fast', 'containers-snapshots/c2/s1')).toBe('one');
    await must('move', 'c2', 'c1', '--storage', 'default');
    expect(left('m2', 'fast')).toEqual([]);
    expect(note('m2', 'default', 'containers/c1')).toBe('one');
    await must('delete', 'c1');
  });
};

const missing = stockClientMissing();
if (missing) test.skip(missing, () => undefined);
else describe('moves within a cluster', life);
