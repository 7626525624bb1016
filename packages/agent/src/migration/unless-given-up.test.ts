import { PassThrough, type Duplex } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import { unlessGivenUp } from './unless-given-up.ts';

test('nobody who has been given up is waited for, and whoever comes late is sent away', async () => {
  const { promise, resolve } = Promise.withResolvers<Duplex>();
  const controller = new AbortController();
  const waiting = unlessGivenUp(promise, controller.signal);
  controller.abort(new LxdError('unavailable', 'the other end is gone'));
  await expect(waiting).rejects.toMatchObject({ code: 'unavailable' });
  await expect(unlessGivenUp(promise, controller.signal)).rejects.toMatchObject({ code: 'unavailable' });
  const late = new PassThrough();
  resolve(late);
  await promise;
  expect(late.destroyed).toBe(true);
});

test('who comes in time is let in', async () => {
  const stream = new PassThrough();
  const { signal } = new AbortController();
  expect(await unlessGivenUp(Promise.resolve(stream), signal)).toBe(stream);
  await expect(unlessGivenUp(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
});
