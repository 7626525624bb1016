import { duplexPair } from 'node:stream';
import { endOfPart, messageChannel } from './message-channel.ts';

const pair = () => {
  const [one, other] = duplexPair();
  return { one, other, near: messageChannel(one), far: messageChannel(other) };
};

test('messages and ends of parts arrive whole and in order, whatever their size', async () => {
  const { near, far } = pair();
  const large = Buffer.alloc(300_000, 7);
  const sending = (async () => {
    await near.send(Buffer.from('first'));
    await near.send(Buffer.alloc(0));
    await near.sendEnd();
    await near.send(large);
    near.close();
  })();
  expect((await far.receive())?.toString()).toBe('first');
  expect(await far.receive()).toEqual(Buffer.alloc(0));
  expect(await far.receive()).toBe(endOfPart);
  expect(large.equals((await far.receive()) as Buffer)).toBe(true);
  expect(await far.receive()).toBeUndefined();
  await sending;
});

test('a sender waits while nobody reads, and hears when the other side is gone', async () => {
  const { near, one } = pair();
  const sending = Promise.all(Array.from({ length: 10 }, () => near.send(Buffer.alloc(100_000))));
  const failed = expect(sending).rejects.toMatchObject({ code: 'unavailable' });
  one.destroy();
  await failed;
  await expect(near.send(Buffer.alloc(1))).rejects.toMatchObject({ code: 'unavailable' });
});

test('an end in the middle of a message is a failure, and so is one that is too long', async () => {
  const cut = pair();
  cut.one.end(Buffer.from([0, 0, 0, 0, 9, 1, 2]));
  await expect(cut.far.receive()).rejects.toMatchObject({ code: 'unavailable' });
  const long = pair();
  long.one.write(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]));
  await expect(long.far.receive()).rejects.toMatchObject({ code: 'too-large' });
});
