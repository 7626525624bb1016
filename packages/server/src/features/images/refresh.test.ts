import type { RunningOperation } from '@lxd-ts/operations';
import type { ImageRecord } from '@lxd-ts/state';
import { fakeAgent, harness } from '../testing/harness.ts';
import type { ImagePuller, PullOptions } from './pull.ts';
import { imageUpdates, startRefresh } from './refresh.ts';
import type { RemoteImage } from './remote.ts';

const signal = AbortSignal.timeout(60_000);
const old = 'a'.repeat(64);
const newer = 'b'.repeat(64);
const source = {
  server: 'https://images',
  protocol: 'simplestreams' as const,
  certificate: '',
  alias: 'one',
};

const record = (fingerprint: string, more: Partial<ImageRecord> = {}): ImageRecord => ({
  project: 'default',
  fingerprint,
  filename: '',
  size: 1,
  architecture: 'x86_64',
  type: 'container',
  public: true,
  autoUpdate: true,
  cached: false,
  properties: {},
  profiles: ['default'],
  createdAt: '',
  expiresAt: '',
  lastUsedAt: '2026-01-01T00:00:00Z',
  uploadedAt: '2026-01-01T00:00:00Z',
  members: ['m1'],
  source,
  ...more,
});

/** A puller of a server that has this image. */
async function setUp(offered: string, ...images: ImageRecord[]) {
  const deleted: string[] = [];
  const { agent } = fakeAgent({
    deleteImage: (fingerprint: string) => {
      deleted.push(fingerprint);
      return Promise.resolve();
    },
  });
  const h = await harness({ m1: agent });
  const { records } = h.services;
  const asked: RemoteImage[] = [];
  const pull = async (remote: RemoteImage, options: PullOptions, _: RunningOperation, fresh?: boolean) => {
    expect(fresh).toBe(true);
    asked.push(remote);
    const known = records.get('images', options.project, offered)?.value;
    const image = known ?? record(offered, { lastUsedAt: '', public: options.public });
    if (!known) await records.transaction().create('images', ['default', offered], image).commit({ signal });
    return { image, fetched: !known };
  };
  for (const image of images)
    await records.transaction().create('images', ['default', image.fingerprint], image).commit({ signal });
  await records
    .transaction()
    .create('imageAliases', ['default', 'mine'], {
      project: 'default',
      name: 'mine',
      description: 'x',
      target: old,
      type: 'container',
    })
    .commit({ signal });
  const puller = { pull } as unknown as ImagePuller;
  return { h, deleted, asked, puller, [Symbol.asyncDispose]: () => h[Symbol.asyncDispose]() };
}

test('a newer image takes the place and the names of the old one', async () => {
  await using at = await setUp(newer, record(old));
  const { records } = at.h.services;
  const ended = await at.h.finish(startRefresh(at.h.services, at.puller, 'default', 'aaa'));
  expect(ended.metadata).toEqual({ refreshed: true });
  expect(records.list('images').map(({ value }) => [value.fingerprint, value.lastUsedAt])).toEqual([
    [newer, '2026-01-01T00:00:00Z'],
  ]);
  expect(records.get('imageAliases', 'default', 'mine')?.value).toMatchObject({
    target: newer,
    description: 'x',
  });
  expect(at.deleted).toEqual([old]);
});

test('one that is the newest stays; one that came from nowhere is refused', async () => {
  await using at = await setUp(old, record(old), (({ source: _, ...rest }) => rest)(record(newer)));
  const again = await at.h.finish(startRefresh(at.h.services, at.puller, 'default', old));
  expect(again.metadata).toEqual({ refreshed: false });
  await expect(at.h.finish(startRefresh(at.h.services, at.puller, 'default', newer))).rejects.toThrow(
    `Failed to update image "${newer}" in project "default": Image source not found`,
  );
  expect(at.h.services.records.list('images')).toHaveLength(2);
});

test('a newer one that was only kept for an instance becomes what the old one was', async () => {
  const kept = record(newer, { cached: true, autoUpdate: false, public: false, profiles: ['other'] });
  await using at = await setUp(newer, record(old), kept);
  await at.h.finish(startRefresh(at.h.services, at.puller, 'default', old));
  expect(at.h.services.records.list('images').map(({ value }) => value)).toEqual([
    record(newer, { lastUsedAt: '2026-01-01T00:00:00Z' }),
  ]);
});

test('a name that is changed meanwhile is not changed back', async () => {
  await using at = await setUp(newer, record(old));
  const { records } = at.h.services;
  // Right before the old one goes, somebody takes its name away.
  const { pull } = at.puller;
  at.puller.pull = async (...args) => {
    const pulled = await pull(...args);
    const transaction = records.transaction.bind(records);
    let isFirst = true;
    records.transaction = (...guards) => {
      const made = transaction(...guards);
      const commit = made.commit.bind(made);
      made.commit = async (options) => {
        const isLast = isFirst && records.get('images', 'default', old) !== undefined;
        if (isLast && records.get('images', 'default', newer)?.value.lastUsedAt) {
          isFirst = false;
          await transaction().remove('imageAliases', ['default', 'mine']).commit(options);
        }
        return commit(options);
      };
      return made;
    };
    return pulled;
  };
  await at.h.finish(startRefresh(at.h.services, at.puller, 'default', old));
  expect(records.list('imageAliases')).toEqual([]);
  expect(records.list('images').map(({ value }) => value.fingerprint)).toEqual([newer]);
});

test('only few servers of images are asked at once', async () => {
  const images = Array.from({ length: 9 }, (_, at) => record(String(at).repeat(64)));
  await using at = await setUp(newer, ...images);
  const waiting: (() => void)[] = [];
  let asked = 0;
  at.puller.pull = async (_source, { project }) => {
    asked += 1;
    await new Promise<void>((go) => waiting.push(go));
    return { image: { ...record(newer), project }, fetched: false };
  };
  const pause = () => new Promise((done) => setTimeout(done, 20));
  const duty = imageUpdates(at.h.services, at.puller);
  await duty.run({ guard: { key: '', revision: 0 } as never, signal });
  await pause();
  expect(asked).toBe(4);
  for (const go of waiting.splice(0)) go();
  await pause();
  expect(asked).toBe(8);
  for (; asked < 9 || waiting.length > 0; await pause()) for (const go of waiting.splice(0)) go();
});

test('those that are to be kept up to date are, and no others', async () => {
  await using at = await setUp(newer, record(old), record('c'.repeat(64), { autoUpdate: false }));
  const duty = imageUpdates(at.h.services, at.puller);
  const term = { guard: { key: '', revision: 0 } as never, signal };
  await duty.run(term);
  await duty.run(term);
  const there = () => at.h.services.records.list('images').map(({ value }) => value.fingerprint[0]);
  while (there().includes('a')) await new Promise(setImmediate);
  expect(there().sort()).toEqual(['b', 'c']);
  expect(at.asked).toEqual([source]);
});
