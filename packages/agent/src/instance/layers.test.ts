import { LxdError, type PoolSpec } from '@lxd-ts/core';
import type { StoragePool, VolumeRef } from '@lxd-ts/storage';
import type { AgentContext } from '../context.ts';
import { KeyedLock } from '../keyed-lock.ts';
import { unpackLayers } from './layers.ts';

const call = { signal: AbortSignal.timeout(5_000) };
const spec: PoolSpec = { name: 'p', driver: 'any', config: {} };
const moment = () => new Promise<void>((resolve) => setTimeout(resolve, 5));

/** A pool whose volumes are the layers that they were made of. */
function makePool() {
  const volumes = new Map<string, string[]>();
  const pool = {
    path: '/p',
    exists: ({ name }: VolumeRef) => Promise.resolve(volumes.has(name)),
    deleteVolume: ({ name }: VolumeRef) => Promise.resolve(void volumes.delete(name)),
    copyVolume: async (from: VolumeRef, to: VolumeRef) => {
      await moment();
      volumes.set(to.name, [...(volumes.get(from.name) ?? [])]);
    },
    createVolume: async ({ name }: VolumeRef) => {
      await moment();
      volumes.set(name, []);
    },
    useVolume: ({ name }: VolumeRef) =>
      Promise.resolve({ path: name, mapped: false, [Symbol.asyncDispose]: () => Promise.resolve() }),
    renameVolume: async (from: VolumeRef, to: VolumeRef) => {
      const found = volumes.get(from.name);
      if (!found) throw new LxdError('not-found', `There is no volume "${from.name}"`);
      if (volumes.has(to.name)) throw new LxdError('conflict', `Volume "${to.name}" exists already`);
      volumes.set(to.name, found);
      volumes.delete(from.name);
      await moment();
    },
  } as unknown as StoragePool;
  return { volumes, pool };
}

function member(volumes: Map<string, string[]>, id: string, shared: boolean): AgentContext {
  const apply = async (rootfs: string) => {
    await moment();
    const found = volumes.get(rootfs.replace(/\/rootfs$/, ''));
    if (!found) throw new Error('It went away under who works on it');
    found.push('layer');
  };
  return {
    layers: new KeyedLock(),
    pools: { clonesImages: () => true, isShared: () => shared },
    images: {
      links: () =>
        Promise.resolve([
          { chain: 'a', apply: () => Promise.resolve() },
          { chain: 'b', apply },
        ]),
      finish: () => Promise.resolve(),
    },
    randomId: () => id,
  } as unknown as AgentContext;
}

test.each([1, 2])(
  'layers of an image are there once, whoever of %i members unpacks them',
  async (members) => {
    const { volumes, pool } = makePool();
    const all = Array.from({ length: members }, (_, i) => member(volumes, `m${i}`, members > 1));
    await Promise.all(all.map((context) => unpackLayers(context, pool, spec, 'image', call)));
    expect([...volumes]).toEqual([
      ['layers-a', []],
      ['layers-b', ['layer']],
      ['image', ['layer']],
    ]);
  },
);
