import type { PoolSpec } from '@lxd-ts/core';
import type { MountOptions, StorageDriver, StoragePool } from '@lxd-ts/storage';
import { fakeHost } from '@lxd-ts/host';
import { Pools } from './pools.ts';

const call = () => ({ signal: AbortSignal.timeout(5_000) });
const spec: PoolSpec = { name: 'p', driver: 'slow', config: {} };

/** Whose only driver takes its time, and writes down what it has done. */
function slow() {
  const done: string[] = [];
  const opened = {
    path: '/nowhere/p',
    mount: async ({ signal, asFound }: MountOptions) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      signal.throwIfAborted();
      done.push(asFound ? 'mount as found' : 'mount');
    },
    unmount: () => {
      done.push('unmount');
      return Promise.resolve();
    },
  } as unknown as StoragePool;
  const driver = { type: 'slow', open: () => opened } as unknown as StorageDriver;
  const context = { host: fakeHost(), dir: '/nowhere', overlayProgram: '', quotaProgram: '' };
  return { done, pools: new Pools([driver], context) };
}

test('a pool is mounted once for all that ask', async () => {
  const { done, pools } = slow();
  await Promise.all([1, 2, 3].map(() => pools.open(spec, call())));
  await pools.open(spec, call());
  expect(done).toEqual(['mount']);
});

test('who gives up keeps no other from having it', async () => {
  const { done, pools } = slow();
  const first = pools.open(spec, { signal: AbortSignal.timeout(5) });
  const second = pools.open(spec, call());
  await expect(first).rejects.toThrow(/abort|timeout/i);
  await second;
  expect(done).toEqual(['mount']);
});

test('what is only looked at is not unmounted under who opens it', async () => {
  const { done, pools } = slow();
  const look = pools.look(spec, call(), () => new Promise((resolve) => setTimeout(resolve, 50)));
  await pools.open(spec, call());
  await look;
  expect(done).toEqual(['mount as found', 'unmount', 'mount']);
});
