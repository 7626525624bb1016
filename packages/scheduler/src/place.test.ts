import fc from 'fast-check';
import { explain, judge, place } from './place.ts';
import { nothing, type PlaceRequest } from './request.ts';
import type { Amount, MemberView, Snapshot } from './snapshot.ts';

const GiB = 1024 ** 3;

const amount = (total: number, reserved = 0): Amount => ({ total, reserved });

const member = (name: string, more: Partial<MemberView> = {}): MemberView => ({
  name,
  state: 'online',
  accepts: 'all',
  groups: ['default'],
  failureDomain: 'default',
  architectures: ['x86_64', 'i686'],
  cpus: amount(4),
  memory: amount(8 * GiB),
  disk: {},
  pools: ['p'],
  networks: ['n'],
  volumes: [],
  hasImage: false,
  instances: 0,
  labels: new Map(),
  avoids: new Map(),
  ...more,
});

const request: PlaceRequest = {
  architecture: 'x86_64',
  reserve: nothing,
  pools: ['p'],
  networks: ['n'],
  volumes: [],
  labels: [],
  affinity: [],
  antiAffinity: [],
};

/** The member after it has taken the instance. */
function taken(member: MemberView, asked: PlaceRequest): MemberView {
  const count = (map: ReadonlyMap<string, number>, labels: readonly string[]) => {
    const counted = new Map(map);
    for (const label of labels) counted.set(label, (counted.get(label) ?? 0) + 1);
    return counted;
  };
  const more = ({ total, reserved }: Amount, by: number) => ({ total, reserved: reserved + by });
  return {
    ...member,
    instances: member.instances + 1,
    cpus: more(member.cpus, asked.reserve.cpus),
    memory: more(member.memory, asked.reserve.memoryBytes),
    disk: Object.fromEntries(
      Object.entries(member.disk).map(([pool, its]) => [pool, more(its, asked.reserve.disk[pool] ?? 0)]),
    ),
    labels: count(member.labels, asked.labels),
    avoids: count(member.avoids, asked.antiAffinity),
  };
}

function placeAll(requests: readonly PlaceRequest[], first: readonly MemberView[]) {
  let members = [...first];
  const chosen: (string | undefined)[] = [];
  for (const asked of requests) {
    const placement = place(asked, { members });
    const name = 'member' in placement ? placement.member : undefined;
    chosen.push(name);
    members = members.map((one) => (one.name === name ? taken(one, asked) : one));
  }
  return { members, chosen };
}

test('six over two equal members are three and three', () => {
  const { chosen } = placeAll(Array.from({ length: 6 }).fill(request) as PlaceRequest[], [
    member('b'),
    member('a'),
  ]);
  expect(chosen).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
});

test('says of each member why it cannot be', () => {
  const members = [
    member('off', { state: 'offline' }),
    member('away', { state: 'evacuated' }),
    member('lost', { state: 'unreachable' }),
    member('shy', { accepts: 'manual' }),
    member('club', { accepts: 'group' }),
    member('arm', { architectures: ['aarch64'] }),
    member('poolless', { pools: [] }),
    member('netless', { networks: ['x'] }),
    member('busy', { cpus: amount(4, 3) }),
    member('full', { memory: amount(8 * GiB, 7.5 * GiB) }),
    member('packed', { disk: { p: amount(GiB, GiB) } }),
    member('dumb', { disk: {} }),
    member('near', { labels: new Map([['db', 1]]), disk: { p: amount(GiB) } }),
    member('proud', { avoids: new Map([['web', 1]]), disk: { p: amount(GiB) } }),
  ];
  const asked: PlaceRequest = {
    ...request,
    reserve: { cpus: 2, memoryBytes: GiB, disk: { p: 1 } },
    labels: ['web'],
    antiAffinity: ['db'],
  };
  expect(place(asked, { members })).toEqual({
    reasons: {
      off: 'is offline',
      away: 'is evacuated',
      lost: 'cannot be reached at the moment',
      shy: 'takes only instances that name it (scheduler.instance=manual)',
      club: 'takes only instances that name it or one of its groups (scheduler.instance=group)',
      arm: 'runs aarch64, not x86_64',
      poolless: 'does not have storage pool "p"',
      netless: 'does not have network "n"',
      busy: 'has 1 of 4 CPUs left, 2 are asked for',
      full: 'has 512.00MiB of 8.00GiB memory left, 1.00GiB are asked for',
      packed: 'has 0B of 1.00GiB storage pool "p" left, 1B are asked for',
      dumb: 'does not say how much room storage pool "p" has',
      near: 'holds an instance labelled "db", which this one avoids',
      proud: 'holds an instance that avoids label "web"',
    },
  });
  expect(explain({ off: 'is offline', away: 'is evacuated' })).toBe(
    'No member can take the instance: off is offline; away is evacuated',
  );
  expect(explain({})).toBe('The cluster has no members');
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`m${n}`, 'is offline']));
  expect(explain(many)).toMatch(/m9 is offline; and 2 more$/);
});

test('a target is one member or a group; both still have to be able', () => {
  const members = [
    member('a', { accepts: 'manual' }),
    member('b', { accepts: 'group', groups: ['default', 'g'] }),
    member('c', { groups: ['g'], instances: 9 }),
    member('d', { accepts: 'manual', groups: ['g'] }),
  ];
  const to = (target: PlaceRequest['target'] & object) => place({ ...request, target }, { members });
  expect(place(request, { members })).toEqual({ member: 'c' });
  expect(to({ member: 'a' })).toEqual({ member: 'a' });
  expect(to({ group: 'g' })).toEqual({ member: 'b' });
  expect(to({ group: 'none' })).toMatchObject({ reasons: { a: 'is not in group "none"' } });
  const off = [member('a', { state: 'offline' }), member('b')];
  expect(place({ ...request, target: { member: 'a' } }, { members: off })).toEqual({
    reasons: { a: 'is offline', b: 'is not the one that is named' },
  });
});

test('of equally full members the one that has the image, then the one with most room', () => {
  const members = [
    member('a', { memory: amount(8, 4) }),
    member('b', { memory: amount(8, 2) }),
    member('c', { memory: amount(8, 6), hasImage: true }),
    member('d', { hasImage: true, instances: 1 }),
  ];
  expect(judge(request, { members }).map((verdict) => verdict.member)).toEqual(['c', 'b', 'a', 'd']);
});

test('one label is spread over failure domains before members', () => {
  const members = ['a1', 'a2', 'b1', 'b2'].map((name) => member(name, { failureDomain: name.slice(0, 1) }));
  const web = { ...request, labels: ['web'] };
  const { chosen } = placeAll([web, web, web, web], members);
  expect(chosen).toEqual(['a1', 'b1', 'a2', 'b2']);
});

test('affinity goes where the label is; the first of its kind goes anywhere', () => {
  const pair = { ...request, labels: ['pair'], affinity: ['pair'] };
  const { chosen } = placeAll([request, pair, pair, pair], [member('a'), member('b')]);
  expect(chosen).toEqual(['a', 'b', 'b', 'b']);
});

test('anti-affinity holds both ways', () => {
  const lonely = { ...request, labels: ['db'], antiAffinity: ['db', 'web'] };
  const web = { ...request, labels: ['web'] };
  const { chosen } = placeAll([lonely, web, web, lonely, lonely], [member('a'), member('b'), member('c')]);
  expect(chosen).toEqual(['a', 'b', 'c', undefined, undefined]);
});

const labels = fc.subarray(['x', 'y', 'z']);
const counts = labels.map((names) => new Map(names.map((name) => [name, 1])));
const amounts = fc.tuple(fc.nat({ max: 16 }), fc.nat({ max: 16 })).map(([a, b]) => ({
  total: Math.max(a, b),
  reserved: Math.min(a, b),
}));
const views: fc.Arbitrary<MemberView[]> = fc.uniqueArray(
  fc.record({
    name: fc.string({ minLength: 1, maxLength: 3 }),
    state: fc.constantFrom('online' as const, 'online' as const, 'offline' as const, 'evacuated' as const),
    accepts: fc.constantFrom('all' as const, 'all' as const, 'manual' as const, 'group' as const),
    groups: fc.subarray(['g', 'h']),
    failureDomain: fc.constantFrom('d', 'e'),
    architectures: fc.subarray(['x86_64', 'aarch64']),
    cpus: amounts,
    memory: amounts,
    disk: fc.record({ p: amounts }, { requiredKeys: [] }),
    pools: fc.constantFrom(['p'], ['p', 'q']),
    networks: fc.constantFrom(['n'], []),
    volumes: fc.subarray(['p/v', 'p/w']),
    hasImage: fc.boolean(),
    instances: fc.nat({ max: 4 }),
    labels: counts,
    avoids: counts,
    leftToOthers: fc.boolean(),
  }),
  { selector: ({ name }) => name, maxLength: 8 },
);
const requests: fc.Arbitrary<PlaceRequest> = fc.record(
  {
    architecture: fc.constantFrom('x86_64', 'aarch64', ''),
    reserve: fc.record({
      cpus: fc.nat({ max: 6 }),
      memoryBytes: fc.nat({ max: 6 }),
      disk: fc.record({ p: fc.nat({ max: 6 }) }, { requiredKeys: [] }),
    }),
    pools: fc.constantFrom(['p'], ['q'], []),
    networks: fc.constantFrom(['n'], []),
    volumes: fc.constantFrom(['p/v'], [], []),
    target: fc.constantFrom({ group: 'g' }, { group: 'h' }),
    labels,
    affinity: labels,
    antiAffinity: labels,
  },
  {
    requiredKeys: [
      'architecture',
      'reserve',
      'pools',
      'networks',
      'volumes',
      'labels',
      'affinity',
      'antiAffinity',
    ],
  },
);

test('never over capacity, never beside what it avoids, never where it may not be', () => {
  fc.assert(
    fc.property(fc.array(requests, { maxLength: 20 }), views, (asked, before) => {
      const held = new Map<string, PlaceRequest[]>();
      let members = before;
      for (const one of asked) {
        const placement = place(one, { members });
        if (!('member' in placement)) continue;
        const at = members.find(({ name }) => name === placement.member);
        if (!at) throw new Error('placed on a member that there is not');
        expect(at.state).toBe('online');
        expect(one.pools.every((pool) => at.pools.includes(pool))).toBe(true);
        expect(one.volumes.every((volume) => at.volumes.includes(volume))).toBe(true);
        expect(one.networks.every((network) => at.networks.includes(network))).toBe(true);
        expect(one.architecture === '' || at.architectures.includes(one.architecture)).toBe(true);
        if (one.target && 'group' in one.target) {
          expect(at.groups).toContain(one.target.group);
          expect(at.accepts).not.toBe('manual');
        } else expect(at.accepts).toBe('all');
        for (const other of held.get(at.name) ?? []) {
          expect(one.labels.filter((label) => other.antiAffinity.includes(label))).toEqual([]);
          expect(other.labels.filter((label) => one.antiAffinity.includes(label))).toEqual([]);
        }
        held.set(at.name, [...(held.get(at.name) ?? []), one]);
        members = members.map((its) => (its.name === at.name ? taken(its, one) : its));
      }
      for (const { cpus, memory, disk } of members)
        for (const { total, reserved } of [cpus, memory, ...Object.values(disk)])
          expect(reserved).toBeLessThanOrEqual(total);
    }),
  );
});

test('chooses the best of those that can, or has a reason for every one; and judges the same way', () => {
  fc.assert(
    fc.property(requests, views, (asked, members) => {
      const placement = place(asked, { members });
      const verdicts = judge(asked, { members });
      expect(verdicts.map((verdict) => verdict.member).sort()).toEqual(
        members.map(({ name }) => name).sort(),
      );
      if ('member' in placement) {
        expect(verdicts[0]).toMatchObject({ member: placement.member, reasons: [] });
      } else {
        expect(verdicts.every(({ reasons }) => reasons.length > 0)).toBe(true);
        expect(placement.reasons).toEqual(
          Object.fromEntries(verdicts.map((verdict) => [verdict.member, verdict.reasons[0]])),
        );
      }
    }),
  );
});

test('does not depend on the order of the members', () => {
  const shuffled = views.chain((members) =>
    fc.tuple(fc.constant(members), fc.shuffledSubarray(members, { minLength: members.length })),
  );
  fc.assert(
    fc.property(requests, shuffled, fc.integer({ min: 1, max: 3 }), (asked, [members, again], slack) => {
      const one: Snapshot = { members, slack };
      const other: Snapshot = { members: again, slack };
      expect(place(asked, other)).toEqual(place(asked, one));
      expect(judge(asked, other)).toEqual(judge(asked, one));
    }),
  );
});

test('servers that place at the same time begin with different ones of equals, and still fill all', () => {
  const of = (own: string) =>
    ['a', 'b', 'c', 'd'].map((name) => member(name, { leftToOthers: !own.includes(name) }));
  const six = Array.from({ length: 6 }, () => request);
  expect(placeAll(six, of('ab')).chosen).toEqual(['a', 'b', 'c', 'd', 'a', 'b']);
  expect(placeAll(six, of('cd')).chosen).toEqual(['c', 'd', 'a', 'b', 'c', 'd']);
  // With slack, a few more on its own ones do not matter.
  const members = of('ab').map((one) => (one.leftToOthers ? one : { ...one, instances: 1 }));
  expect(place(request, { members, slack: 2 })).toEqual({ member: 'a' });
  expect(place(request, { members, slack: 1 })).toEqual({ member: 'c' });
});
