import type { ImageRecord } from '@lxd-ts/state';
import { harness } from '../testing/harness.ts';
import { importRemote, type ImagesPost } from './import-remote.ts';
import type { ImagePuller, PullOptions } from './pull.ts';

const signal = AbortSignal.timeout(60_000);
const caller = { protocol: 'unix' as const, username: 'root', trusted: true };
const fingerprint = 'a'.repeat(64);

const record = (more: Partial<ImageRecord>): ImageRecord => ({
  project: 'default',
  fingerprint,
  filename: 'first.tar',
  size: 1,
  architecture: 'x86_64',
  type: 'container',
  public: false,
  autoUpdate: false,
  cached: false,
  properties: { os: 'busybox', release: '1' },
  profiles: ['default'],
  createdAt: '',
  expiresAt: '',
  lastUsedAt: '',
  uploadedAt: '',
  members: ['m1'],
  ...more,
});

/** @param known what is there before */
async function setUp(known?: Partial<ImageRecord>) {
  const h = await harness({});
  const { records } = h;
  const put = (image: ImageRecord) =>
    records.transaction().put('images', ['default', fingerprint], image).commit({ signal });
  if (known) await put(record(known));
  const pull = async (_: unknown, options: PullOptions) => {
    if (!known) await put(record({ public: options.public, autoUpdate: options.autoUpdate }));
    return { image: records.get('images', 'default', fingerprint)?.value, fetched: !known };
  };
  return {
    ask: (body: ImagesPost) =>
      h.finish(
        importRemote(h.services, { pull } as unknown as ImagePuller, {
          project: 'default',
          body: { source: { type: 'url', url: 'https://images' }, ...body },
          caller,
        }),
      ),
    image: () => records.get('images', 'default', fingerprint)?.value,
    aliases: () => records.list('imageAliases').map(({ value }) => `${value.name} ${value.description}`),
    [Symbol.asyncDispose]: () => h[Symbol.asyncDispose](),
  };
}

// As LXD 5.0.2 does each.
test('an image is what was said of it when it was asked for', async () => {
  await using at = await setUp();
  await at.ask({
    ...{ properties: { os: 'mine', a: 'b' }, filename: 'mine.tar', public: true },
    aliases: [{ name: 'x', description: 'd' }],
  });
  expect(at.image()).toMatchObject({
    ...{ public: true, filename: 'mine.tar', properties: { os: 'mine', release: '1', a: 'b' } },
  });
  expect(at.aliases()).toEqual(['x d']);
});

test('one that is there already gets more names, and is otherwise left alone', async () => {
  await using at = await setUp({ public: true, autoUpdate: true });
  await at.ask({ aliases: [{ name: 'y' }] });
  expect(at.aliases()).toEqual(['y ']);
  expect(at.image()).toEqual(record({ public: true, autoUpdate: true }));
});

test('one that was only kept for an instance is from now on one that was asked for', async () => {
  await using at = await setUp({ cached: true, autoUpdate: true });
  await at.ask({ auto_update: false, public: true });
  expect(at.image()).toMatchObject({ cached: false, public: true, autoUpdate: false });
});

test('a name that is taken is told, and stays where it was', async () => {
  await using at = await setUp();
  await at.ask({ aliases: [{ name: 'x' }] });
  await expect(at.ask({ aliases: [{ name: 'x', description: 'other' }] })).rejects.toThrow(
    'Alias already exists: x',
  );
  expect(at.aliases()).toEqual(['x ']);
});
