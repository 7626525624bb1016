import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeBusyboxImage } from '../support/busybox.ts';
import { makeTemporary } from '../support/ground.ts';
import { HostDaemon } from '../support/host-daemon.ts';
import { waitFor } from '../support/wait-for.ts';

/** What the process itself promises: containers outlive it, it finds them again, and it stops them when told to. */
let dir: string;
let daemon: HostDaemon;

interface State {
  pid: number;
  status: string;
}
const state = async (): Promise<State> =>
  (await daemon.rest.must('GET', '/1.0/instances/c1/state')).metadata as State;

beforeAll(async () => {
  dir = makeTemporary('daemon');
  daemon = new HostDaemon(join(dir, 'server'));
  await daemon.start();
  const { rest } = daemon;
  await rest.must('POST', '/1.0/storage-pools', { name: 'p', driver: 'btrfs', config: { size: '1GiB' } });
  const devices = { root: { type: 'disk', path: '/', pool: 'p' } };
  await rest.must('PUT', '/1.0/profiles/default', { devices });
  const image = readFileSync(makeBusyboxImage(join(dir, 'image')).unified);
  const headers = { 'Content-Type': 'application/octet-stream' };
  const uploaded = await rest.must('POST', '/1.0/images', image, headers);
  const { fingerprint } = (uploaded.metadata as { metadata: { fingerprint: string } }).metadata;
  await rest.must('POST', '/1.0/instances', { name: 'c1', source: { type: 'image', fingerprint } });
  await rest.must('PUT', '/1.0/instances/c1/state', { action: 'start' });
});

afterAll(async () => {
  const { rest } = daemon;
  await rest.must('PUT', '/1.0/instances/c1/state', { action: 'stop', force: true });
  await rest.must('DELETE', '/1.0/instances/c1');
  for (const url of (await rest.must('GET', '/1.0/images')).metadata as string[])
    await rest.must('DELETE', url);
  await rest.must('PUT', '/1.0/profiles/default', { devices: {} });
  await rest.must('DELETE', '/1.0/storage-pools/p');
  await daemon.end('SIGTERM');
  rmSync(dir, { recursive: true });
});

test('the process started is the one that serves', async () => {
  const { metadata } = await daemon.rest.must('GET', '/1.0');
  expect(metadata).toMatchObject({ environment: { server_pid: daemon.pid } });
});

test.each(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGKILL'] as const)(
  '%s leaves containers running, and the next start adopts them',
  async (signal) => {
    const before = await state();
    expect(before.status).toBe('Running');
    await daemon.end(signal);
    expect(readFileSync(`/proc/${before.pid}/comm`, 'utf8')).toBe('init\n');
    await daemon.start();
    expect(await state()).toMatchObject({ pid: before.pid, status: 'Running' });
    const { metadata } = await daemon.rest.must('GET', '/1.0/instances?recursion=1');
    expect(metadata).toMatchObject([{ name: 'c1', status: 'Running' }]);
  },
);

test('a second daemon on the same directory is refused and harms nothing', async () => {
  const second = new HostDaemon(daemon.dir);
  // It ends by itself, whoever answers meanwhile.
  await second.start().catch(() => undefined);
  await waitFor('its end', () => Promise.resolve(second.isOver), Boolean);
  expect(await state()).toMatchObject({ status: 'Running' });
});

test.each([
  ['SIGPWR', () => daemon.end('SIGPWR')],
  [
    'a shutdown by the API',
    async () => {
      await daemon.rest.must('PUT', '/internal/shutdown');
      await waitFor('its end', () => Promise.resolve(daemon.isOver), Boolean);
    },
  ],
] as const)('%s stops containers; the next start brings back what ran', async (_name, shutDown) => {
  const before = await state();
  await shutDown();
  expect(() => readFileSync(`/proc/${before.pid}/comm`)).toThrow();
  expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(daemon.dir);
  await daemon.start();
  await waitFor('the container', state, ({ status }) => status === 'Running');
});
