import type { PoolSpec } from '@lxd-ts/core';
import type { Caller } from '../../http/route.ts';
import { dropImage } from '../images/service.ts';
import { createInstance } from '../instances/create.ts';
import { instancesService } from '../instances/service.ts';
import { storagePoolsService } from '../storage-pools/service.ts';
import { drivers, fakeAgent, harness } from '../testing/harness.ts';
import { deleteImageVolume, describeImageVolume, findImageVolume, imageVolumeView } from './image-volumes.ts';
import { listVolumes } from './list.ts';

const signal = AbortSignal.timeout(60_000);
const fingerprint = '0123456789abcdef'.repeat(4);
const caller = { username: 'root', protocol: 'unix' } as Caller;
const asked = { pool: 'default', project: 'default', name: fingerprint, via: 'm1' };
const url = `/1.0/storage-pools/default/volumes/image/${fingerprint}`;

/** An instance of an image, in a pool that clones what is unpacked once. */
async function setUp() {
  const { agent, calls } = fakeAgent();
  const deleted: string[][] = [];
  Object.assign(agent, {
    deleteImage: async (_fingerprint: string, specs: PoolSpec[]) =>
      void deleted.push(specs.map(({ name }) => name)),
  });
  const h = await harness({ m1: agent });
  await h.records
    .transaction()
    .create('images', ['default', fingerprint], {
      ...{
        project: 'default',
        fingerprint,
        filename: '',
        size: 1,
        architecture: 'x86_64',
        type: 'container' as const,
      },
      ...{ public: false, autoUpdate: false, cached: false, properties: {}, profiles: ['default'] },
      ...{ createdAt: '', expiresAt: '', lastUsedAt: '', uploadedAt: '', members: ['m1'] },
    })
    .commit({ signal });
  const { context } = instancesService(h.services, drivers);
  const create = (name: string) =>
    h.finish(
      createInstance(context, {
        project: 'default',
        body: { name, source: { type: 'image', fingerprint } },
      }),
    );
  await create('c1');
  const urls = () =>
    listVolumes(h.services, { pool: 'default', project: 'default', type: 'image' }).map((one) => one.url);
  return { h, calls, deleted, create, urls, pools: storagePoolsService(h.services, drivers) };
}

it('is there once, whoever is made of it, and is told with its pool', async () => {
  const { h, create, urls, pools } = await setUp();
  await using _ = h;
  await create('c2');
  expect(urls()).toEqual([url]);
  const { value } = findImageVolume(h.services, asked);
  expect(imageVolumeView(h.services, value)).toMatchObject({
    name: fingerprint,
    type: 'image',
    used_by: [`/1.0/images/${fingerprint}`],
  });
  expect(pools.view(pools.find('default').value, undefined)['used_by']).toContain(
    `/1.0/images/${fingerprint}`,
  );
  expect(() => findImageVolume(h.services, { ...asked, target: 'm2' })).toThrow('volume not found');
});

it('is described', async () => {
  const { h } = await setUp();
  await using _ = h;
  await describeImageVolume(h.services, findImageVolume(h.services, asked).value, 'mine', caller);
  expect(findImageVolume(h.services, asked).value.description).toBe('mine');
});

it('is deleted while the image stays, and comes back', async () => {
  const { h, calls, create, urls } = await setUp();
  await using _ = h;
  await deleteImageVolume(h.services, asked, caller);
  expect(calls.at(-1)).toBe('deleteImageVolume default 0123');
  expect(urls()).toEqual([]);
  await expect(deleteImageVolume(h.services, asked, caller)).rejects.toThrow('volume not found');
  await create('c2');
  expect(urls()).toEqual([url]);
});

it('is looked for only where the member has a part of the pool', async () => {
  const { h, deleted } = await setUp();
  await using _ = h;
  await h.records
    .transaction()
    .create('pools', ['elsewhere'], {
      ...{ name: 'elsewhere', driver: 'dir', description: '', status: 'Created' as const },
      ...{ config: {}, memberConfig: { m2: {} } },
    })
    .commit({ signal });
  await dropImage(h.services, 'default', fingerprint, { signal });
  expect(deleted).toEqual([['default']]);
});

it('goes with its image', async () => {
  const { h, urls } = await setUp();
  await using _ = h;
  await dropImage(h.services, 'default', fingerprint, { signal });
  expect(urls()).toEqual([]);
});
