import { fakeAgent, harness } from '../testing/harness.ts';
import { volumeUsersOf } from './users.ts';

const signal = AbortSignal.timeout(60_000);

/** `count` instances, each with the disk `v<n modulo 100>`, and a profile with v0. */
async function setUp(count: number) {
  const h = await harness({ m1: fakeAgent().agent });
  const disk = (source: string) => ({ type: 'disk', pool: 'default', source, path: '/data' });
  const rest = { description: '', ephemeral: false, stateful: false, config: {}, profiles: ['default'] };
  for (let i = 0; i < count; i++) {
    const name = `c${i}`;
    await h.records
      .transaction()
      .create('instances', ['default', name], {
        ...{ project: 'default', name, type: 'container', architecture: '', createdAt: '', lastUsedAt: '' },
        ...rest,
        devices: { data: disk(`v${i % 100}`) },
      })
      .create('placements', ['default', name], { member: i % 2 === 0 ? 'm1' : 'm2' })
      .commit({ signal });
  }
  await h.records
    .transaction()
    .create('profiles', ['default', 'p'], {
      ...{ project: 'default', name: 'p', description: '', config: {} },
      devices: { data: disk('v0') },
    })
    .commit({ signal });
  return h;
}

const volume = (name: string, member = 'm1') => ({ pool: 'default', project: 'default', name, member });

it('names those on its member, and profiles; nobody for others', async () => {
  await using h = await setUp(4);
  const usersOf = volumeUsersOf(h.services);
  expect(usersOf(volume('v0'))).toEqual(['/1.0/instances/c0', '/1.0/profiles/p']);
  expect(usersOf(volume('v0', 'm2'))).toEqual(['/1.0/profiles/p']);
  expect(usersOf(volume('v1'))).toBeNull();
  expect(usersOf(volume('v1', 'm2'))).toEqual(['/1.0/instances/c1']);
  expect(usersOf({ ...volume('v0'), pool: 'big' })).toBeNull();
  expect(usersOf({ ...volume('v0'), project: 'other' })).toBeNull();
});

it('looks at each instance once, however many volumes ask', async () => {
  await using h = await setUp(300);
  const { list } = h.records;
  let looks = 0;
  h.records.list = (kind, ...prefix) => {
    looks += kind === 'instances' ? 1 : 0;
    return list.call(h.records, kind, ...prefix);
  };
  const usersOf = volumeUsersOf(h.services);
  for (let i = 0; i < 2_000; i++) usersOf(volume(`v${i}`));
  expect(looks).toBe(1);
});
