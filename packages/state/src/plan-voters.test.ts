import fc from 'fast-check';
import type { EtcdMember } from './etcd-members.ts';
import { planVoters, votersFor, type VoterCandidate, type VoterStep } from './plan-voters.ts';

const candidate = (name: string, more: Partial<VoterCandidate> = {}): VoterCandidate => ({
  name,
  url: `https://${name}:1`,
  failureDomain: 'default',
  state: 'online',
  eligible: true,
  ...more,
});
const voter = (name: string, more: Partial<EtcdMember> = {}): EtcdMember => ({
  id: name,
  name,
  url: `https://${name}:1`,
  learner: false,
  ...more,
});
const own = 'https://a:1';

/** What a cluster does that follows each step at once. */
function follow(
  members: EtcdMember[],
  candidates: VoterCandidate[],
  most: number,
): { members: EtcdMember[]; steps: VoterStep['kind'][] } {
  const steps: VoterStep['kind'][] = [];
  let now = [...members];
  for (let i = 0; i < 50; i++) {
    const step = planVoters(now, candidates, { most, own });
    if (!step) return { members: now, steps };
    steps.push(step.kind);
    switch (step.kind) {
      case 'add':
        now = [...now, voter(step.candidate.name, { name: '', learner: true })];
        break;
      case 'start':
        now = now.map((one) =>
          one.url === step.candidate.url ? { ...one, name: step.candidate.name } : one,
        );
        break;
      case 'promote':
        now = now.map((one) => (one.id === step.id ? { ...one, learner: false } : one));
        break;
      case 'remove':
        now = now.filter(({ id }) => id !== step.id);
    }
  }
  throw new Error(`it never ends: ${steps.join(' ')}`);
}

const names = ({ members }: { members: EtcdMember[] }) => members.map(({ id }) => id).sort();

test('how many votes', () => {
  expect([1, 2, 3, 4, 5, 9].map((count) => votersFor(count, 5))).toEqual([1, 1, 3, 3, 5, 5]);
  expect([3, 4, 9].map((count) => votersFor(count, 3))).toEqual([3, 3, 3]);
});

test('two stay one, three become three, one learner at a time', () => {
  expect(follow([voter('a')], [candidate('a'), candidate('b')], 3).steps).toEqual([]);
  const grown = follow([voter('a')], [candidate('a'), candidate('b'), candidate('c'), candidate('d')], 3);
  expect(grown.steps).toEqual(['add', 'start', 'promote', 'add', 'start', 'promote']);
  expect(names(grown)).toEqual(['a', 'b', 'c']);
});

test('failure domains come first', () => {
  const candidates = [
    candidate('a', { failureDomain: 'r1' }),
    candidate('b', { failureDomain: 'r1' }),
    candidate('c', { failureDomain: 'r2' }),
    candidate('d', { failureDomain: 'r3' }),
  ];
  expect(names(follow([voter('a')], candidates, 3))).toEqual(['a', 'c', 'd']);
});

test('a voter that is lost, or removed from the cluster, is replaced', () => {
  const members = [voter('a'), voter('b'), voter('c')];
  const lost = [candidate('a'), candidate('b', { state: 'lost' }), candidate('c'), candidate('d')];
  expect(names(follow(members, lost, 3))).toEqual(['a', 'c', 'd']);
  const removed = [candidate('a'), candidate('c'), candidate('d')];
  expect(names(follow(members, removed, 3))).toEqual(['a', 'c', 'd']);
});

test('one that is lost keeps its vote while there is nobody to give it to', () => {
  const members = [voter('a'), voter('b'), voter('c')];
  const lost = [candidate('a'), candidate('b'), candidate('c', { state: 'lost' })];
  expect(follow(members, lost, 3).steps).toEqual([]);
});

test('a second vote is not given without a third', () => {
  const candidates = [candidate('a'), candidate('b'), candidate('c', { state: 'away' })];
  expect(follow([voter('a')], candidates, 3).steps).toEqual([]);
});

test('one that is only away keeps its vote', () => {
  const members = [voter('a'), voter('b'), voter('c')];
  const away = [candidate('a'), candidate('b', { state: 'away' }), candidate('c'), candidate('d')];
  expect(follow(members, away, 3).steps).toEqual([]);
});

test('nobody is removed whom those who are there could not do without', () => {
  const members = [voter('a'), voter('b'), voter('c')];
  const two = [candidate('a'), candidate('b', { state: 'lost' }), candidate('c', { state: 'away' })];
  expect(planVoters(members, two, { most: 3, own })).toBeUndefined();
});

test('a cluster that shrinks to two ends with one vote', () => {
  const members = [voter('a'), voter('b'), voter('c')];
  expect(names(follow(members, [candidate('a'), candidate('b')], 3))).toEqual(['a']);
});

test('it always ends, with an odd number, and a majority that is there after every step', () => {
  const some = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const states = fc.constantFrom<VoterCandidate['state']>('online', 'away', 'lost');
  fc.assert(
    fc.property(
      fc.uniqueArray(some, { minLength: 1 }),
      fc.uniqueArray(fc.tuple(some, states, fc.boolean(), fc.constantFrom('r1', 'r2', 'r3')), {
        selector: ([name]) => name,
      }),
      fc.constantFrom(3, 5),
      (others, described, most) => {
        const members = [...new Set(['a', ...others])].map((name) => voter(name));
        const candidates = [
          candidate('a'),
          ...described
            .filter(([name]) => name !== 'a')
            .map(([name, state, eligible, failureDomain]) =>
              candidate(name, { state, eligible, failureDomain }),
            ),
        ];
        const there = (all: EtcdMember[]) =>
          all.filter(
            ({ url, learner }) =>
              !learner && candidates.some((one) => one.url === url && one.state === 'online'),
          ).length;
        const votes = (all: EtcdMember[]) => all.filter(({ learner }) => !learner).length;
        const decides = (all: EtcdMember[]) => there(all) > votes(all) / 2;
        const after = follow(members, candidates, most).members;
        if (decides(members)) expect(decides(after)).toBe(true);
        expect(after.some(({ id }) => id === 'a')).toBe(true);
      },
    ),
  );
});

test('votes move to failure domains that come later, one more at a time', () => {
  const domain = (name: string, failureDomain: string) => candidate(name, { failureDomain });
  const crowded = [voter('a'), voter('b'), voter('c')];
  const all = ['a', 'b', 'c'].map((name) => domain(name, 'one'));
  const one = follow(crowded, [...all, domain('d', 'two')], 3);
  expect(one).toMatchObject({ steps: ['add', 'start', 'promote', 'remove'] });
  expect(names(one)).toEqual(['a', 'b', 'd']);
  const two = follow(crowded, [...all, domain('d', 'two'), domain('e', 'three')], 3);
  expect(names(two)).toEqual(['a', 'd', 'e']);
  // No better than before: nothing moves.
  expect(follow(two.members, [...all, domain('d', 'two'), domain('e', 'three')], 3).steps).toEqual([]);
});
