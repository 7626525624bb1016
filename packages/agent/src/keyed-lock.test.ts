import { KeyedLock } from './keyed-lock.ts';

test('one at a time per key, in order, whatever became of the one before', async () => {
  const lock = new KeyedLock();
  const gate = Promise.withResolvers<void>();
  const seen: string[] = [];
  const first = lock.run('a', async () => {
    await gate.promise;
    seen.push('first');
    throw new Error('first failed');
  });
  const second = lock.run('a', async () => {
    seen.push('second');
    return 2;
  });
  const other = lock.run('b', async () => seen.push('other'));
  await other;
  expect(seen).toEqual(['other']);
  gate.resolve();
  await expect(first).rejects.toThrow('first failed');
  expect(await second).toBe(2);
  expect(seen).toEqual(['other', 'first', 'second']);
});

test('a throw before the first await is a rejection', async () => {
  const lock = new KeyedLock();
  await expect(
    lock.run('a', () => {
      throw new Error('at once');
    }),
  ).rejects.toThrow('at once');
  expect(await lock.run('a', async () => 1)).toBe(1);
});
