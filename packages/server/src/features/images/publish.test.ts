import type { PublishRequest, ReceivedImage } from '@lxd-ts/rpc';
import { drivers, fakeAgent, harness } from '../testing/harness.ts';
import { createInstance } from '../instances/create.ts';
import { instancesService } from '../instances/service.ts';
import type { ImagesPost } from './import-remote.ts';
import { publish } from './publish.ts';

const caller = { protocol: 'unix' as const, username: 'root', trusted: true };
const project = 'default';
const fingerprint = 'a'.repeat(64);

async function setUp() {
  const asked: PublishRequest[] = [];
  const fake = fakeAgent({
    publishImage: (_spec, request): Promise<ReceivedImage> => {
      asked.push(request);
      const { properties = {}, architecture, createdAt, expiresAt } = request;
      return Promise.resolve({
        ...{ fingerprint, size: 1, architecture, properties, type: 'container', files: [] },
        ...{ creationDate: createdAt, expiryDate: expiresAt },
      });
    },
  });
  const h = await harness({ m1: fake.agent });
  const { context } = instancesService(h.services, drivers);
  await h.finish(createInstance(context, { project, body: { name: 'c1', source: { type: 'none' } } }));
  const make = (more: object) => {
    const body = { source: { type: 'instance', name: 'c1' }, ...more } as ImagesPost;
    return h.finish(Promise.resolve().then(() => publish(h.services, { project, body, caller })));
  };
  return { h, asked, make, [Symbol.asyncDispose]: () => h[Symbol.asyncDispose]() };
}

describe('an image of an instance', () => {
  it('is of the time that it is told, and goes when it is only kept to be used again', async () => {
    await using at = await setUp();
    await at.make({ source_date_epoch: 1_700_000_000, exclude: ['/tmp/*'], cached: true });
    expect(at.asked).toMatchObject([
      { createdAt: 1_700_000_000, reproducible: { epoch: 1_700_000_000, exclude: ['/tmp/*'] } },
    ]);
    expect(at.h.records.get('images', project, fingerprint)?.value).toMatchObject({
      cached: true,
      createdAt: '2023-11-14T22:13:20.000Z',
    });
  });

  it('is as LXD makes it where nothing is said', async () => {
    await using at = await setUp();
    await at.make({});
    expect(at.asked[0]).not.toHaveProperty('reproducible');
    expect(at.h.records.get('images', project, fingerprint)?.value).toMatchObject({
      cached: false,
      createdAt: '2026-01-02T03:04:05.000Z',
    });
  });

  it.each([
    [{ exclude: ['/a'] }, 'exclude is only possible with source_date_epoch'],
    [{ source_date_epoch: 1, exclude: ['a'] }, 'exclude must be a list of absolute paths'],
    [{ source_date_epoch: 1, exclude: ['/a\n--x'] }, 'exclude must be a list of absolute paths'],
    [{ source_date_epoch: 1, exclude: '/a' }, 'exclude must be a list of absolute paths'],
    [{ source_date_epoch: '1' }, 'source_date_epoch must be a number of seconds since 1970'],
    [{ source_date_epoch: -1 }, 'source_date_epoch must be a number of seconds since 1970'],
    [{ source_date_epoch: 1.5 }, 'source_date_epoch must be a number of seconds since 1970'],
  ])('is refused with %j', async (more, message) => {
    await using at = await setUp();
    await expect(at.make(more)).rejects.toThrow(message);
    expect(at.asked).toEqual([]);
  });
});
