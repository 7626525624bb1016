import fc from 'fast-check';
import { explain, place, type PlaceRequest } from './place.ts';
import type { MemberView } from './snapshot.ts';

const GiB = 1024 ** 3;

const member = (name: string, more: Partial<MemberView> = {}): MemberView => ({
  name,
  state: 'online',
  architecture: 'x86_64',
  cpus: 4,
  memoryBytes: 8 * GiB,
  memoryFreeBytes: 6 * GiB,
  instances: 0,
  ...more,
});

const request: PlaceRequest = { architecture: 'x86_64' };

test('six over two equal members are three and three', () => {
  let members = [member('b'), member('a')];
  const chosen: string[] = [];
  for (let n = 0; n < 6; n++) {
    const placement = place(request, { members });
    if (!('member' in placement)) throw new Error(explain(placement.reasons));
    chosen.push(placement.member);
    members = members.map((one) =>
      one.name === placement.member ? { ...one, instances: one.instances + 1 } : one,
    );
  }
  expect(chosen).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
});

test('says of each member why it cannot be', () => {
  const members = [
    member('off', { state: 'offline' }),
    member('away', { state: 'evacuated' }),
    member('arm', { architecture: 'aarch64' }),
    member('small', { cpus: 1 }),
    member('full', { memoryFreeBytes: GiB / 2 }),
    member('other'),
  ];
  const among = members.map(({ name }) => name).filter((name) => name !== 'other');
  const placement = place({ ...request, cpus: 2, memoryBytes: GiB, among }, { members });
  expect(placement).toEqual({
    reasons: {
      off: 'is offline',
      away: 'is evacuated',
      arm: 'is aarch64, not x86_64',
      small: 'has 1 CPUs, 2 are asked for',
      full: 'has 512.00MiB of memory free, 1.00GiB are asked for',
      other: 'is not among those asked for',
    },
  });
  expect(explain({ off: 'is offline', away: 'is evacuated' })).toBe(
    'No member can take the instance: off is offline; away is evacuated',
  );
  expect(explain({})).toBe('The cluster has no members');
});

test('a member runs the architectures it can besides its own', () => {
  const members = [member('a', { alsoRuns: ['i686'] })];
  expect(place({ architecture: 'i686' }, { members })).toEqual({ member: 'a' });
});

const views = fc.uniqueArray(
  fc.record({
    name: fc.string({ minLength: 1, maxLength: 3 }),
    state: fc.constantFrom('online' as const, 'offline' as const, 'evacuated' as const),
    architecture: fc.constantFrom('x86_64', 'aarch64'),
    cpus: fc.integer({ min: 1, max: 8 }),
    memoryBytes: fc.constant(16),
    memoryFreeBytes: fc.nat({ max: 16 }),
    instances: fc.nat({ max: 4 }),
  }),
  { selector: ({ name }) => name, maxLength: 8 },
);
const requests = fc.record(
  {
    architecture: fc.constantFrom('x86_64', 'aarch64'),
    memoryBytes: fc.nat({ max: 16 }),
    cpus: fc.integer({ min: 1, max: 8 }),
  },
  { requiredKeys: ['architecture'] },
);

test('chooses one that can, the emptiest of them; or has a reason for every one', () => {
  fc.assert(
    fc.property(requests, views, (asked, members) => {
      const can = members.filter(
        (one) =>
          one.state === 'online' &&
          one.architecture === asked.architecture &&
          one.cpus >= (asked.cpus ?? 0) &&
          one.memoryFreeBytes >= (asked.memoryBytes ?? 0),
      );
      const placement = place(asked, { members });
      if ('member' in placement) {
        const chosen = can.find(({ name }) => name === placement.member);
        expect(chosen?.instances).toBe(Math.min(...can.map(({ instances }) => instances)));
      } else {
        expect(can).toEqual([]);
        expect(Object.keys(placement.reasons).sort()).toEqual(members.map(({ name }) => name).sort());
      }
    }),
  );
});

test('does not depend on the order of the members', () => {
  const shuffled = views.chain((members) =>
    fc.tuple(fc.constant(members), fc.shuffledSubarray(members, { minLength: members.length })),
  );
  fc.assert(
    fc.property(requests, shuffled, (asked, [members, again]) => {
      expect(place(asked, { members: again })).toEqual(place(asked, { members }));
    }),
  );
});
