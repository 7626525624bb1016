import { eachOf } from './each-of.ts';

const moment = () => new Promise<void>((resolve) => setImmediate(resolve));

test('works on all, and on no more at once than it may', async () => {
  const done: number[] = [];
  let now = 0;
  let most = 0;
  await eachOf([1, 2, 3, 4, 5, 6, 7], 3, async (one) => {
    most = Math.max(most, (now += 1));
    await moment();
    now -= 1;
    done.push(one);
  });
  expect([done.sort(), most]).toEqual([[1, 2, 3, 4, 5, 6, 7], 3]);
});

test('tells of a failure once nobody is at work any more', async () => {
  let ended = 0;
  const work = async (one: number) => {
    if (one === 1) throw new Error('no');
    await moment();
    ended += 1;
  };
  await expect(eachOf([1, 2, 3], 2, work)).rejects.toThrow('no');
  expect(ended).toBe(2);
});
