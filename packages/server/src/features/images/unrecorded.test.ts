import { LxdError } from '@lxd-ts/core';
import { fakeAgent, harness } from '../testing/harness.ts';
import { dropUnrecordedImages } from './unrecorded.ts';

const [known, gone, broken] = ['a'.repeat(64), 'b'.repeat(64), 'c'.repeat(64)];

async function setUp() {
  const controller = new AbortController();
  const deleted: string[] = [];
  const state: { held: string[] | Error; asked: number[] } = { held: [], asked: [] };
  const { agent } = fakeAgent({
    heldImages: async (ageMs) => {
      state.asked.push(ageMs);
      if (state.held instanceof Error) throw state.held;
      return state.held;
    },
    deleteImage: async (fingerprint, pools) => {
      if (fingerprint === broken) throw new LxdError('internal', 'it cannot be read');
      deleted.push(`${fingerprint[0] ?? ''} ${pools.map(({ name }) => name).join()}`);
    },
  });
  const h = await harness({ m1: agent });
  await h.records
    .transaction()
    .create('images', ['default', known], {
      ...{ project: 'default', fingerprint: known, filename: '', size: 1, architecture: 'x86_64' },
      ...{ type: 'container', public: false, autoUpdate: false, cached: false, properties: {} },
      ...{ profiles: [], createdAt: '', expiresAt: '', lastUsedAt: '', uploadedAt: '', members: [] },
    })
    .commit({ signal: AbortSignal.timeout(5_000) });
  return {
    ...{ state, deleted },
    drop: () => dropUnrecordedImages(h.services, 'm1', controller.signal),
    [Symbol.asyncDispose]: async () => {
      controller.abort();
      await h[Symbol.asyncDispose]();
    },
  };
}

test('files of images that are not on record go, with what was unpacked of them; those of others stay', async () => {
  await using at = await setUp();
  at.state.held = [known, broken, gone];
  await at.drop();
  expect(at.deleted).toEqual(['b default']);
  // What is new may not be on record yet.
  expect(at.state.asked).toEqual([60_000]);
});

test('a member that cannot tell keeps what it has', async () => {
  await using at = await setUp();
  at.state.held = new LxdError('unavailable', 'away');
  await at.drop();
  expect(at.deleted).toEqual([]);
});
