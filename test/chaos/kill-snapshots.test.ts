import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBusyboxImage } from '../support/busybox.ts';
import { makeTemporary } from '../support/ground.ts';
import { HostDaemon } from '../support/host-daemon.ts';

/** Killed at any moment of a snapshot, a restore, a rebuild, a copy, a refresh or a move to another pool: nothing lost, nothing left over. */
const kills = 12;
const pools = ['b', 'd'];
let dir: string;
let daemon: HostDaemon;
let image: { type: 'image'; fingerprint: string };

const must = (method: string, path: string, body?: unknown) => daemon.rest.must(method, path, body);
const names = async (path: string): Promise<string[]> =>
  ((await must('GET', path)).metadata as string[]).map((one) => one.split('/').pop() ?? '').sort();
const folder = (...parts: string[]): string[] => {
  const path = join(daemon.dir, ...parts);
  return existsSync(path) ? readdirSync(path).sort() : [];
};
const root = (pool: string) => ({ root: { type: 'disk', path: '/', pool } });

beforeAll(async () => {
  dir = makeTemporary('snapkill');
  daemon = new HostDaemon(join(dir, 'server'));
  await daemon.start();
  await must('POST', '/1.0/storage-pools', { name: 'b', driver: 'btrfs', config: { size: '1GiB' } });
  await must('POST', '/1.0/storage-pools', { name: 'd', driver: 'dir' });
  const file = readFileSync(makeBusyboxImage(join(dir, 'image')).unified);
  const headers = { 'Content-Type': 'application/octet-stream' };
  const uploaded = await daemon.rest.must('POST', '/1.0/images', file, headers);
  const { fingerprint } = (uploaded.metadata as { metadata: { fingerprint: string } }).metadata;
  image = { type: 'image', fingerprint };
  await must('POST', '/1.0/instances', { name: 'c1', source: image, devices: root('b'), profiles: [] });
  await must('POST', '/1.0/instances/c1/snapshots', { name: 'kept' });
});

afterAll(async () => {
  try {
    for (const name of await names('/1.0/instances')) await must('DELETE', `/1.0/instances/${name}`);
    for (const name of await names('/1.0/images')) await must('DELETE', `/1.0/images/${name}`);
    for (const pool of pools) await must('DELETE', `/1.0/storage-pools/${pool}`);
  } finally {
    await daemon.end('SIGTERM');
  }
  rmSync(dir, { recursive: true });
});

/** Every change there is, over and over, until the daemon is gone. */
async function work(): Promise<void> {
  const copy = { name: 'k', profiles: [], devices: root('d'), source: { type: 'copy', source: 'c1' } };
  try {
    for (let round = 0; ; round++) {
      await must('POST', '/1.0/instances/c1/snapshots', { name: 's' });
      await must('POST', '/1.0/instances', copy);
      await must('POST', '/1.0/instances/c1/snapshots/s', { name: 't' });
      await must('POST', '/1.0/instances', { ...copy, source: { ...copy.source, refresh: true } });
      await must('PUT', '/1.0/instances/c1', { restore: 'kept' });
      const pool = round % 2 === 0 ? 'd' : 'b';
      await must('POST', '/1.0/instances/k', { name: 'k', migration: true, pool });
      await must('POST', '/1.0/instances/c1', { name: 'c1', migration: true, pool });
      await must('POST', '/1.0/instances', { name: 'r', profiles: [], devices: root(pool), source: image });
      await must('POST', '/1.0/instances/r/rebuild', { source: image });
      await must('POST', '/1.0/instances/r/rebuild', { source: { type: 'none' } });
      await must('POST', '/1.0/instances/r/rebuild', { source: image });
      await must('DELETE', '/1.0/instances/r');
      await must('DELETE', '/1.0/instances/c1/snapshots/t');
      await must('DELETE', '/1.0/instances/k');
    }
  } catch {
    // It was killed in the middle of a request, or found what the last kill left: that is looked at below.
  }
}

interface Full {
  name: string;
  expanded_devices: { root: { pool: string } };
  snapshots: { name: string }[] | null;
}

test(`killed ${kills} times in the middle of changes of snapshots and places, it leaves what is on record, and no more`, async () => {
  for (let i = 0; i < kills; i++) {
    const working = work();
    const afterMs = Math.round(Math.random() * 4_000);
    await sleep(afterMs);
    await daemon.end('SIGKILL');
    await working;
    await daemon.start();
    const found = (await must('GET', '/1.0/instances?recursion=2')).metadata as Full[];
    const on = (pool: string) => found.filter((one) => one.expanded_devices.root.pool === pool);
    const seen = `kill ${i + 1} after ${afterMs} ms: ${found.map(({ name, snapshots }) => `${name} ${(snapshots ?? []).map((one) => one.name).join()}`).join('; ')}`;
    console.log(seen);
    expect([seen, found.some(({ name }) => name === 'c1')]).toEqual([seen, true]);
    for (const pool of pools) {
      const path = ['storage-pools', pool];
      const expected = on(pool);
      expect([seen, folder(...path, 'containers')]).toEqual([seen, expected.map(({ name }) => name).sort()]);
      for (const { name, snapshots } of expected)
        expect([seen, folder(...path, 'containers-snapshots', name)]).toEqual([
          seen,
          (snapshots ?? []).map((one) => one.name).sort(),
        ]);
      expect([seen, folder(...path, 'containers-snapshots')]).toEqual([
        seen,
        expected.flatMap(({ name, snapshots }) => (snapshots ? [name] : [])).sort(),
      ]);
      // What is there is whole.
      for (const { name } of expected)
        expect([seen, folder('containers', name, 'rootfs', 'sbin').join()]).toEqual([
          seen,
          // One may just have been rebuilt with nothing.
          expect.stringMatching(name === 'r' ? /^(dhcp,init)?$/ : /^dhcp,init$/),
        ]);
    }
    expect([seen, folder('containers')]).toEqual([seen, found.map(({ name }) => name).sort()]);
    expect(found.find(({ name }) => name === 'c1')?.snapshots?.map(({ name }) => name)).toContain('kept');
    for (const { name, snapshots } of found) {
      for (const one of snapshots ?? [])
        if (one.name !== 'kept') await must('DELETE', `/1.0/instances/${name}/snapshots/${one.name}`);
      if (name !== 'c1') await must('DELETE', `/1.0/instances/${name}`);
    }
    await must('PUT', '/1.0/instances/c1', { restore: 'kept' });
  }
});
