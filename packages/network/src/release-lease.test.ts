import { releaseMessage } from './release-lease.ts';

test('a release names the client, its address and the server', () => {
  const message = releaseMessage('00:16:3e:00:00:01', '10.1.2.50', '10.1.2.1');
  expect(message).toHaveLength(300);
  expect([...message.subarray(0, 3)]).toEqual([1, 1, 6]);
  expect([...message.subarray(12, 16)]).toEqual([10, 1, 2, 50]);
  expect(message.subarray(28, 34).toString('hex')).toBe('00163e000001');
  expect(message.subarray(236, 240).toString('hex')).toBe('63825363');
  expect([...message.subarray(240, 250)]).toEqual([53, 1, 7, 54, 4, 10, 1, 2, 1, 255]);
});
