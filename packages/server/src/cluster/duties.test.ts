import { memoryStore, type Guard, type Store } from '@lxd-ts/state';
import { fakeAgent, harness } from '../features/testing/harness.ts';
import { leaderDuties } from './duties.ts';

const signal = AbortSignal.timeout(60_000);

async function ground(offline: string[] = []) {
  const base = await harness({ m1: fakeAgent().agent, m2: fakeAgent().agent });
  const known = base.services.agents.state;
  base.services.agents.state = (member) => (offline.includes(member) ? 'offline' : known(member));
  // Guards are on keys of the same store that the records are in; one that holds stands for the leader's.
  const guard: Guard = { key: 'nothing', modRevision: 0 };
  const store: Store = memoryStore();
  const recovered: string[][] = [];
  const deleted: string[] = [];
  const duties = leaderDuties(base.services, {
    store,
    recover: (servers) => Promise.resolve(void recovered.push([...servers])),
    deleteImage: (_, fingerprint) => Promise.resolve(deleted.push(fingerprint)),
  });
  const run = async (name: string) => {
    const duty = duties.find((one) => one.name === name);
    if (!duty) throw new Error(`no duty "${name}"`);
    await duty.run({ guard, signal });
  };
  return { ...base, run, offline, recovered, deleted, store };
}

test('who is online is on record, and since when', async () => {
  const offline = ['m2'];
  await using base = await ground(offline);
  const states = () => base.records.list('memberStatuses').map(({ value }) => value.state);
  await base.run('states of members');
  expect(states()).toEqual(['online', 'offline']);
  const { revision } = base.records.get('memberStatuses', 'm1')!;
  offline.pop();
  await base.run('states of members');
  expect(states()).toEqual(['online', 'online']);
  expect(base.records.get('memberStatuses', 'm1')?.revision).toBe(revision);
  await base.records.transaction().remove('members', ['m2']).commit({ signal });
  await base.run('states of members');
  expect(states()).toEqual(['online']);
});

test('join tokens go when they have expired', async () => {
  await using base = await ground();
  const token = { member: 'm3', secretHash: '', createdAt: '', server: 'm1' };
  await base.records
    .transaction()
    .create('joinTokens', ['old'], { ...token, id: 'old', expiresAt: '2026-01-02T03:04:04Z' })
    .create('joinTokens', ['new'], { ...token, id: 'new', expiresAt: '2026-01-02T03:04:06Z' })
    .commit({ signal });
  await base.run('expired join tokens');
  expect(base.records.list('joinTokens').map(({ value }) => value.id)).toEqual(['new']);
});

test('what a dead server left is recovered; of one that is alive nothing is touched', async () => {
  const offline = ['m2', 'm3'];
  await using base = await ground(offline);
  const operation = { class: 'task', project: 'default' } as never as object;
  const add = (id: string, server: string) =>
    base.records
      .transaction()
      .create('operations', [id], { ...operation, id, server } as never)
      .commit({ signal });
  await add('a', 'm1');
  await add('b', 'm2');
  await add('c', 'm3');
  // m3 cannot be reached from here, but still shows etcd that it is alive.
  const alive = { type: 'put' as const, key: '/lxd-ts/v1/elections/server%2Fm3', value: { id: 'm3' } };
  await base.store.commit([], [alive], { signal });
  await base.run('recovery of what dead servers left');
  expect(base.recovered).toEqual([['m2']]);
  expect(base.records.list('operations').map(({ value }) => value.id)).toEqual(['a', 'c']);
});

test('reservations that a crash left behind are put right', async () => {
  await using base = await ground();
  const instance = {
    project: 'default',
    name: 'c1',
    config: { 'limits.memory': '1GiB' },
    devices: {},
    profiles: ['default'],
  } as never;
  await base.records
    .transaction()
    .create('instances', ['default', 'c1'], instance)
    .create('placements', ['default', 'c1'], { member: 'm1' })
    .commit({ signal });
  await base.run('reservations');
  const placed = base.records.get('placements', 'default', 'c1')!;
  expect(placed.value).toEqual({ member: 'm1', reserved: { cpus: 0, memoryBytes: 2 ** 30, disk: {} } });
  await base.run('reservations');
  expect(base.records.get('placements', 'default', 'c1')?.revision).toBe(placed.revision);
});

test('images from elsewhere go when nobody used them for long', async () => {
  await using base = await ground();
  const add = (fingerprint: string, cached: boolean, lastUsedAt: string) =>
    base.records
      .transaction()
      .create('images', ['default', fingerprint], {
        project: 'default',
        fingerprint,
        cached,
        lastUsedAt,
        uploadedAt: '2025-01-01T00:00:00Z',
      } as never)
      .commit({ signal });
  await add('old', true, '2025-12-20T00:00:00Z');
  await add('never', true, '');
  await add('new', true, '2026-01-01T00:00:00Z');
  await add('own', false, '');
  await base.run('images that are not used');
  expect(base.deleted.sort()).toEqual(['never', 'old']);
});
