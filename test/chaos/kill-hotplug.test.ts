import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBusyboxImage } from '../support/busybox.ts';
import { makeTemporary } from '../support/ground.ts';
import { HostDaemon } from '../support/host-daemon.ts';
import { waitFor } from '../support/wait-for.ts';

/** Killed at any moment of plugging and unplugging: what is on record is inside, and nothing else is anywhere. */
const kills = 12;
const tag = process.pid.toString(36).slice(-6);
const port = 20_000 + (process.pid % 20_000);
let dir: string;
let daemon: HostDaemon;
let pid = 0;

const must = (method: string, path: string, body?: unknown) => daemon.rest.must(method, path, body);
const all = () => ({
  data: { type: 'disk', source: join(dir, 'shared'), path: '/mnt/data' },
  full: { type: 'unix-char', path: '/dev/full2', major: '1', minor: '7' },
  eth7: { type: 'nic', nictype: 'p2p', name: 'eth7', host_name: `lx${tag}7` },
  web: { type: 'proxy', listen: `tcp:127.0.0.1:${port}`, connect: 'tcp:127.0.0.1:80' },
});
type Name = keyof ReturnType<typeof all>;
const root = { root: { type: 'disk', path: '/', pool: 'd' } };

/** Which devices there are traces of, in the container and on the host. */
function seen(): Record<Name, string[]> {
  const mounts = readFileSync(`/proc/${pid}/mounts`, 'utf8');
  const links =
    execFileSync('nsenter', ['-t', String(pid), '-n', '--', 'ip', '-br', 'link'], { encoding: 'utf8' }) +
    execFileSync('ip', ['-br', 'link'], { encoding: 'utf8' });
  const files = readdirSync(join(dir, 'server/devices/c1'), { recursive: true, encoding: 'utf8' });
  const mountinfo = readFileSync('/proc/self/mountinfo', 'utf8');
  const forwarders = readdirSync('/proc').filter((one) => {
    try {
      return readFileSync(`/proc/${one}/cmdline`, 'utf8').includes(`${dir}/server/devices/c1/proxy.web`);
    } catch {
      return false;
    }
  });
  const traces = (...found: [what: string, there: boolean][]) =>
    found.flatMap(([what, there]) => (there ? [what] : []));
  return {
    data: traces(
      ['inside', mounts.includes(' /mnt/data ')],
      ['file', files.includes('disk.data')],
      ['mount', mountinfo.includes(`${dir}/server/devices/c1/disk.data`)],
    ),
    full: traces(
      ['inside', mounts.includes(' /dev/full2 ')],
      ['file', files.some((file) => file.startsWith('unix.full'))],
    ),
    eth7: traces(['inside', links.includes('eth7')], ['link', links.includes(`lx${tag}7`)]),
    web: traces(['process', forwarders.length > 0], ['file', files.includes('proxy.web.pid')]),
  };
}

const whole: Record<Name, string[]> = {
  data: ['inside', 'file', 'mount'],
  full: ['inside', 'file'],
  eth7: ['inside', 'link'],
  web: ['process', 'file'],
};

beforeAll(async () => {
  dir = makeTemporary('hotkill');
  mkdirSync(join(dir, 'shared'));
  daemon = new HostDaemon(join(dir, 'server'));
  await daemon.start();
  await must('POST', '/1.0/storage-pools', { name: 'd', driver: 'dir' });
  const image = readFileSync(makeBusyboxImage(join(dir, 'image')).unified);
  const headers = { 'Content-Type': 'application/octet-stream' };
  const uploaded = await daemon.rest.must('POST', '/1.0/images', image, headers);
  const { fingerprint } = (uploaded.metadata as { metadata: { fingerprint: string } }).metadata;
  const source = { type: 'image', fingerprint };
  await must('POST', '/1.0/instances', { name: 'c1', source, devices: root, profiles: [] });
  await must('PUT', '/1.0/instances/c1/state', { action: 'start' });
  ({ pid } = (await must('GET', '/1.0/instances/c1/state')).metadata as { pid: number });
});

afterAll(async () => {
  try {
    await must('PUT', '/1.0/instances/c1/state', { action: 'stop', force: true });
    expect(existsSync(join(dir, 'server/devices/c1'))).toBe(false);
    await must('DELETE', '/1.0/instances/c1');
    for (const url of (await must('GET', '/1.0/images')).metadata as string[]) await must('DELETE', url);
    await must('DELETE', '/1.0/storage-pools/d');
  } finally {
    await daemon.end('SIGTERM');
  }
  rmSync(dir, { recursive: true });
});

/** Plugs and unplugs, over and over, until the daemon is gone. */
async function work(): Promise<void> {
  const names = Object.keys(all()) as Name[];
  try {
    for (let round = 0; ; round++) {
      const some = names.filter((_, index) => ((round * 7 + index * 3) >> (index % 3)) % 2 === 0);
      const devices = Object.fromEntries(some.map((name) => [name, all()[name]]));
      await must('PUT', '/1.0/instances/c1', { devices: { ...root, ...devices }, profiles: [] });
    }
  } catch {
    // It was killed in the middle of a request, or found what the last kill left: that is looked at below.
  }
}

test(`killed ${kills} times in the middle of plugging, what is on record is inside, and no more`, async () => {
  for (let i = 0; i < kills; i++) {
    const working = work();
    await sleep(Math.round(Math.random() * 1_500));
    await daemon.end('SIGKILL');
    await working;
    await daemon.start();
    // What was cut off is put right by the daemon itself, some moments after it is there again.
    await waitFor(
      'what is on record to be there, and no more',
      async () => {
        const { devices } = (await must('GET', '/1.0/instances/c1')).metadata as {
          devices: Record<string, unknown>;
        };
        const wanted = Object.fromEntries(
          Object.entries(whole).map(([name, traces]) => [name, name in devices ? traces : []]),
        );
        return [JSON.stringify(wanted), JSON.stringify(seen())] as const;
      },
      ([wanted, found]) => wanted === found,
    );
  }
});
