import { Pool } from './pool.ts';

const { signal } = new AbortController();

test('lends each thing to one at a time, in order, and takes it back after a failure', async () => {
  const pool = new Pool(['a', 'b']);
  let lent = 0;
  let most = 0;
  const done: number[] = [];
  const work = Array.from({ length: 20 }, (_, n) =>
    pool.lend(signal, async () => {
      most = Math.max(most, ++lent);
      await Promise.resolve();
      lent--;
      done.push(n);
      if (n % 3 === 0) throw new Error('failed');
    }),
  );
  await Promise.allSettled(work);
  expect(most).toBe(2);
  expect(done).toEqual([...done].sort((a, b) => a - b));
  expect(await pool.lend(signal, async (item) => item)).toBeDefined();
});

test('whoever gives up waiting leaves the line', async () => {
  const pool = new Pool(['only']);
  const held = Promise.withResolvers<undefined>();
  const first = pool.lend(signal, () => held.promise);
  const giveUp = new AbortController();
  const second = pool.lend(giveUp.signal, async () => 'second');
  const third = pool.lend(signal, async () => 'third');
  giveUp.abort();
  await expect(second).rejects.toThrow();
  held.resolve(undefined);
  await first;
  expect(await third).toBe('third');
});
