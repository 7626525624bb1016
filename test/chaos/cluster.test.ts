import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBusyboxImage } from '../support/busybox.ts';
import { ownClient } from '../support/client.ts';
import { startDaemonCluster, type Cluster, type ClusterMember } from '../support/cluster.ts';
import { lxdTs } from '../support/daemon.ts';
import { makeTemporary } from '../support/ground.ts';
import { waitFor } from '../support/wait-for.ts';

/** The server that decides is killed in the middle of what is done with members; it goes on when it is back. */
describe('the control plane is killed', () => {
  let dir: string;
  let cluster: Cluster;
  let first: ClusterMember;

  const get = async <T>(path: string): Promise<T | undefined> => {
    const answer = await first.rest.send('GET', path).catch(() => undefined);
    return (answer?.metadata ?? undefined) as T | undefined;
  };
  const statusOf = async (name: string) => (await get<{ status: string }>(`/1.0/cluster/members/${name}`))?.status;
  const stateOf = async (name: string) => (await get<{ status: string }>(`/1.0/instances/${name}`))?.status;
  const becomes = (name: string, status: string) =>
    waitFor(`${name} ${status}`, () => stateOf(name), (is) => is === status, 60);
  /** Kills the server so much after a request was sent. The answer may never come. */
  const crashDuring = async (ms: number, method: string, path: string, body?: unknown): Promise<void> => {
    const asked = first.rest.send(method, path, body).catch(() => undefined);
    await sleep(ms);
    await first.crash();
    await asked;
    await waitFor(
      'all members',
      async () => Promise.all(['m2', 'm3'].map(statusOf)),
      (all) => all.every((status) => status === undefined || status === 'Online' || status === 'Evacuated'),
    );
  };

  beforeAll(async () => {
    dir = makeTemporary('chaos-cluster');
    cluster = await startDaemonCluster(join(dir, 'hosts'), 3);
    const [m1] = cluster.members;
    if (!m1) throw new Error('a cluster has a first member');
    first = m1;
    const { unified } = makeBusyboxImage(join(dir, 'image'));
    const client = ownClient(lxdTs, first.dir, join(dir, 'home'));
    for (const line of [`image import ${unified} --alias bb`, 'launch bb c1 --target m2', 'launch bb c2 --target m2']) {
      const { code, stderr } = await client(line.split(' '));
      if (code !== 0) throw new Error(`${line}: ${stderr}`);
    }
    for (const name of ['c1', 'c2'])
      await first.rest.must('PATCH', `/1.0/instances/${name}`, {
        config: { 'cluster.evacuate': 'stop', 'boot.host_shutdown_timeout': '1' },
      });
  });

  afterAll(async () => {
    const left = await cluster.stopAll();
    rmSync(dir, { recursive: true, force: true });
    expect(left).toEqual([]);
  });

  test.each([20, 400, 1200])('%s ms into an evacuation, and into its undoing', async (ms) => {
    const member = '/1.0/cluster/members/m2';
    const settled = (status: string) => async () => {
      // Cut off before it was on record: asked again.
      if ((await statusOf('m2')) !== status) {
        const action = status === 'Evacuated' ? 'evacuate' : 'restore';
        await first.rest.call('POST', `${member}/state`, { action, mode: 'stop' }).catch(() => undefined);
      }
      return statusOf('m2');
    };
    await crashDuring(ms, 'POST', `${member}/state`, { action: 'evacuate', mode: 'stop' });
    await waitFor('the evacuation', settled('Evacuated'), (is) => is === 'Evacuated', 60);
    for (const name of ['c1', 'c2']) await becomes(name, 'Stopped');
    await crashDuring(ms, 'POST', `${member}/state`, { action: 'restore' });
    await waitFor('the restoration', settled('Online'), (is) => is === 'Online', 60);
    for (const name of ['c1', 'c2']) await becomes(name, 'Running');
  });

  test('into a removal', async () => {
    await crashDuring(60, 'DELETE', '/1.0/cluster/members/m3');
    const names = async () => (await get<string[]>('/1.0/cluster/members')) ?? [];
    const gone = await names();
    if (gone.some((path) => path.endsWith('/m3'))) {
      await waitFor('the member', () => statusOf('m3'), (is) => is === 'Online' || is === undefined);
      if ((await statusOf('m3')) === 'Online') await first.rest.must('DELETE', '/1.0/cluster/members/m3');
    }
    await waitFor('the removal', names, (all) => !all.some((path) => path.endsWith('/m3')), 60);
    expect(await get('/1.0/storage-pools/default')).toMatchObject({ locations: ['m1', 'm2'] });
  });
});
