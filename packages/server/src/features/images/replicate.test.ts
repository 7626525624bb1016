import { fakeAgent, harness } from '../testing/harness.ts';
import { replicateImages } from './replicate.ts';

const signal = AbortSignal.timeout(60_000);
const names = ['m1', 'm2', 'm3', 'm4', 'm5'];

async function ground() {
  const fakes = Object.fromEntries(
    names.map((name) => [
      name,
      fakeAgent({
        sendImage: () => Promise.resolve([]),
        receiveImage: (_, { expected = '' }) => {
          received.push([name, expected]);
          const error = failing.get(name);
          if (error) throw error;
          onReceive?.();
          return Promise.resolve({} as never);
        },
      }),
    ]),
  );
  const received: [string, string][] = [];
  const failing = new Map<string, Error>();
  let onReceive: (() => void) | undefined;
  const base = await harness(
    Object.fromEntries(Object.entries(fakes).map(([name, { agent }]) => [name, agent])),
  );
  return {
    ...base,
    fakes,
    received,
    failing,
    meanwhile: (work: () => void) => (onReceive = work),
    add: (fingerprint: string, ...members: string[]) =>
      base.records
        .transaction()
        .create('images', ['default', fingerprint], { project: 'default', fingerprint, members } as never)
        .commit({ signal }),
    want: (copies: string) =>
      base.records
        .transaction()
        .put('serverConfig', [], { config: { 'cluster.images_minimal_replica': copies } })
        .commit({ signal }),
    holders: (fingerprint: string) =>
      base.records.get('images', 'default', fingerprint)?.value.members.toSorted(),
  };
}

test('each image gets to three members, those with the fewest first', async () => {
  await using at = await ground();
  await at.add('a', 'm1');
  await at.add('b', 'm1', 'm2', 'm3');
  await replicateImages(at.services, { signal });
  expect(at.holders('a')).toEqual(['m1', 'm4', 'm5']);
  expect(at.holders('b')).toEqual(['m1', 'm2', 'm3']);
  await replicateImages(at.services, { signal });
  expect(at.received).toHaveLength(2);
});

test('as many copies as are asked for: one, or one for each member', async () => {
  await using at = await ground();
  await at.add('a', 'm2');
  await at.want('1');
  await replicateImages(at.services, { signal });
  expect(at.received).toEqual([]);
  await at.want('-1');
  await replicateImages(at.services, { signal });
  expect(at.holders('a')).toEqual(names);
});

test('members that are offline, evacuated or gone count for nothing', async () => {
  await using at = await ground();
  at.services.agents.online = () => names.filter((name) => name !== 'm2');
  await at.records.modify('members', ['m3'], (member) => ({ ...member, state: 'Evacuated' }), { signal });
  await at.add('a', 'm1', 'gone');
  await at.add('b', 'm2');
  await replicateImages(at.services, { signal });
  expect(at.holders('a')).toEqual(['gone', 'm1', 'm4', 'm5']);
  // Nobody is online who could give it.
  expect(at.holders('b')).toEqual(['m2']);
});

test('instead of a member that fails the next gets it', async () => {
  await using at = await ground();
  at.failing.set('m2', new Error('disk full'));
  await at.add('a', 'm1');
  await replicateImages(at.services, { signal });
  expect(at.holders('a')).toEqual(['m1', 'm3', 'm4']);
  await at.want('-1');
  await replicateImages(at.services, { signal });
  expect(at.holders('a')).toEqual(['m1', 'm3', 'm4', 'm5']);
  at.failing.clear();
  await replicateImages(at.services, { signal });
  expect(at.holders('a')).toEqual(names);
});

test('of an image that is deleted meanwhile no copy stays', async () => {
  await using at = await ground();
  await at.add('a', 'm1');
  await at.want('2');
  let gone: Promise<unknown> | undefined;
  at.meanwhile(() => {
    gone ??= at.records.transaction().remove('images', ['default', 'a']).commit({ signal });
  });
  await replicateImages(at.services, { signal });
  await gone;
  expect(at.holders('a')).toBeUndefined();
  expect(at.fakes['m2']?.calls).toEqual(['deleteImage a']);
});
