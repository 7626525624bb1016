import { Lanes } from './lanes.ts';

const { signal } = new AbortController();

test('one at a time per name, in order; who gives up lets the next one in', async () => {
  const lanes = new Lanes();
  const order: string[] = [];
  const first = await lanes.enter('a', signal);
  const second = lanes.enter('a', signal).then((turn) => {
    order.push('second');
    return turn;
  });
  const gone = new AbortController();
  const given = lanes.enter('a', gone.signal);
  const third = lanes.enter('a', signal).then((turn) => {
    order.push('third');
    return turn;
  });
  using _other = await lanes.enter('b', signal);
  order.push('other');
  gone.abort(new Error('given up'));
  order.push('first');
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
  await expect(given).rejects.toThrow('given up');
  (await third)[Symbol.dispose]();
  expect(order).toEqual(['other', 'first', 'second', 'third']);
});
