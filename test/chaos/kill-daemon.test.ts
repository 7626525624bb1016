import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBusyboxImage } from '../support/busybox.ts';
import { makeTemporary } from '../support/ground.ts';
import { HostDaemon } from '../support/host-daemon.ts';

/** Killed at any moment of any change, the daemon puts everything right at its next start. */
const kills = 10;
const bridge = 'lxtskill0';
let dir: string;
let daemon: HostDaemon;
let fingerprint: string;

const lines = (path: string): string[] => readFileSync(path, 'utf8').split('\n').filter(Boolean);

/** Processes of this daemon's containers: monitors, and helpers that start or enter them. */
const processes = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      const path = `/proc/${pid}/cmdline`;
      return existsSync(path) ? readFileSync(path, 'utf8').replaceAll('\0', ' ') : '';
    })
    .filter((line) => line.includes(`${daemon.dir}/containers`));

const tag = (): string => createHash('sha256').update(daemon.dir).digest('hex').slice(0, 8);

const cgroups = (): string[] =>
  ['', ...readdirSync('/sys/fs/cgroup')].flatMap((controller) => {
    const path = join('/sys/fs/cgroup', controller);
    return existsSync(join(path, 'cgroup.procs'))
      ? readdirSync(path).filter((name) => name.includes(tag()))
      : [];
  });

const folder = (...parts: string[]): string[] => {
  const path = join(daemon.dir, ...parts);
  return existsSync(path) ? readdirSync(path) : [];
};

/** Everything that only an instance has: with no instance, nothing of it may be there. */
const leftovers = (): Record<string, string[]> => ({
  veths: readdirSync(`/sys/class/net/${bridge}/brif`),
  mounts: lines('/proc/self/mounts')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((target) => target.startsWith(daemon.dir) && target !== join(daemon.dir, 'storage-pools/p')),
  volumes: folder('storage-pools/p/containers'),
  links: folder('containers'),
  devices: folder('devices'),
  seccomp: folder('security/seccomp'),
  processes: processes(),
  cgroups: cgroups(),
});

beforeAll(async () => {
  dir = makeTemporary('kill');
  daemon = new HostDaemon(join(dir, 'server'));
  await daemon.start();
  const { rest } = daemon;
  await rest.must('POST', '/1.0/storage-pools', { name: 'p', driver: 'btrfs', config: { size: '1GiB' } });
  const config = { 'ipv4.address': '10.231.77.1/24', 'ipv6.address': 'none' };
  await rest.must('POST', '/1.0/networks', { name: bridge, config });
  await rest.must('PUT', '/1.0/profiles/default', {
    devices: {
      root: { type: 'disk', path: '/', pool: 'p' },
      eth0: { type: 'nic', name: 'eth0', network: bridge },
    },
  });
  const image = readFileSync(makeBusyboxImage(join(dir, 'image')).unified);
  const uploaded = await rest.must('POST', '/1.0/images', image, {
    'Content-Type': 'application/octet-stream',
  });
  ({ fingerprint } = (uploaded.metadata as { metadata: { fingerprint: string } }).metadata);
});

afterAll(async () => {
  const { rest } = daemon;
  for (const url of (await rest.must('GET', '/1.0/images')).metadata as string[])
    await rest.must('DELETE', url);
  await rest.must('PUT', '/1.0/profiles/default', { devices: {} });
  await rest.must('DELETE', `/1.0/networks/${bridge}`);
  await rest.must('DELETE', '/1.0/storage-pools/p');
  await daemon.end('SIGTERM');
  expect(lines('/proc/self/mounts').filter((line) => line.includes(dir))).toEqual([]);
  expect(
    execFileSync('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'], { encoding: 'utf8' }),
  ).not.toContain(dir);
  rmSync(dir, { recursive: true });
});

/** Launches and deletes until the daemon is gone. */
async function work(): Promise<void> {
  const { rest } = daemon;
  const state = (action: string) => rest.must('PUT', '/1.0/instances/c1/state', { action, force: true });
  try {
    for (;;) {
      await rest.must('POST', '/1.0/instances', { name: 'c1', source: { type: 'image', fingerprint } });
      await state('start');
      await state('stop');
      await rest.must('DELETE', '/1.0/instances/c1');
    }
  } catch {
    // It was killed in the middle of a request.
  }
}

test(`killed ${kills} times in the middle of launching and deleting, it leaves nothing half done`, async () => {
  for (let i = 0; i < kills; i++) {
    const working = work();
    const afterMs = Math.round(Math.random() * 400);
    await sleep(afterMs);
    await daemon.end('SIGKILL');
    await working;
    await daemon.start();
    const { rest } = daemon;
    const instances = (await rest.must('GET', '/1.0/instances?recursion=1')).metadata as {
      name: string;
      status: string;
    }[];
    const seen = `kill ${i + 1} after ${afterMs} ms, then ${JSON.stringify(instances.map(({ status }) => status))}`;
    console.log(seen);
    // What is there is whole: it can be started, used, stopped and deleted.
    for (const { name, status } of instances) {
      expect([name, ['Running', 'Stopped'].includes(status)]).toEqual(['c1', true]);
      if (status === 'Stopped') await rest.must('PUT', '/1.0/instances/c1/state', { action: 'start' });
      expect((await rest.must('GET', '/1.0/instances/c1/state')).metadata).toMatchObject({
        status: 'Running',
      });
      await rest.must('PUT', '/1.0/instances/c1/state', { action: 'stop', force: true });
      await rest.must('DELETE', '/1.0/instances/c1');
    }
    expect((await rest.must('GET', '/1.0/operations')).metadata).not.toHaveProperty('running');
    expect([seen, leftovers()]).toEqual([
      seen,
      { veths: [], mounts: [], volumes: [], links: [], devices: [], seccomp: [], processes: [], cgroups: [] },
    ]);
  }
});

test('etcd killed: it is started again, and nothing is lost', async () => {
  const { rest } = daemon;
  await rest.must('POST', '/1.0/profiles', { name: 'kept', config: { 'user.a': '1' } });
  const etcd = readdirSync('/proc').find((pid) => {
    try {
      return (
        /^\d+$/.test(pid) &&
        execFileSync('readlink', [`/proc/${pid}/cwd`], { encoding: 'utf8' }).trim() ===
          join(daemon.dir, 'etcd')
      );
    } catch {
      return false;
    }
  });
  process.kill(Number(etcd), 'SIGKILL');
  await rest.must('PATCH', '/1.0/profiles/kept', { config: { 'user.b': '2' } });
  const { metadata } = await rest.must('GET', '/1.0/profiles/kept');
  expect(metadata).toMatchObject({ config: { 'user.a': '1', 'user.b': '2' } });
  await rest.must('DELETE', '/1.0/profiles/kept');
});
