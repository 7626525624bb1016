import { createHash, randomBytes } from 'node:crypto';
import { duplexPair, PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { messageChannel } from './message-channel.ts';

const hash = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
const data = randomBytes(5_000_000);
const pieces = function* () {
  for (let at = 0, size = 1; at < data.length; at += size, size = ((size * 7) % 90_001) + 1)
    yield data.subarray(at, at + size);
};
const ignore = () => undefined;

test('a stream comes out as it went in, part by part', async () => {
  const [one, other] = duplexPair();
  const [near, far] = [messageChannel(one), messageChannel(other)];
  let [sent, received] = [0, 0];
  const sending = (async () => {
    for (let part = 0; part < 2; part++) {
      await near.sendAll(Readable.from(pieces()), { onBytes: (count) => (sent += count) });
      await near.sendEnd();
    }
  })();
  for (let part = 0; part < 2; part++) {
    const sink = new PassThrough();
    const whole = buffer(sink);
    await far.receiveAll(sink, (count) => (received += count));
    sink.end();
    expect(hash(await whole)).toBe(hash(data));
  }
  await sending;
  expect([sent, received]).toEqual([2 * data.length, 2 * data.length]);
});

test('what a stream no longer wants is passed over, to the end of the part', async () => {
  const [one, other] = duplexPair();
  const [near, far] = [messageChannel(one), messageChannel(other)];
  const sink = new PassThrough();
  sink.on('error', ignore);
  const sending = (async () => {
    await near.sendAll(Readable.from(pieces()), { onBytes: ignore });
    await near.sendEnd();
    await near.send(Buffer.from('next'));
  })();
  setTimeout(() => sink.destroy(), 10);
  await far.receiveAll(sink, ignore);
  expect((await far.receive())?.toString()).toBe('next');
  await sending;
});

test('both ends hear when the other goes in the middle', async () => {
  const [one, other] = duplexPair();
  const [near, far] = [messageChannel(one), messageChannel(other)];
  const endless = new Readable({ read: (size) => void setImmediate(() => endless.push(Buffer.alloc(size))) });
  const sending = expect(near.sendAll(endless, { onBytes: ignore })).rejects.toMatchObject({
    code: 'unavailable',
  });
  let came = 0;
  const receiving = expect(
    far.receiveAll(new PassThrough().resume(), (count) => {
      came += count;
      if (came > 1_000_000) one.destroy();
      if (came > 1_000_000) other.destroy();
    }),
  ).rejects.toMatchObject({ code: 'unavailable' });
  await Promise.all([sending, receiving]);
});

test('what has come is written while nothing more comes', async () => {
  const [one, other] = duplexPair();
  const [near, far] = [messageChannel(one), messageChannel(other)];
  const sink = new PassThrough();
  const receiving = far.receiveAll(sink, ignore);
  for (const word of ['first', 'second']) {
    const came = new Promise((resolve) => sink.once('data', resolve));
    await near.send(Buffer.from(word));
    expect(String(await came)).toBe(word);
  }
  await near.sendEnd();
  await receiving;
});

test('a pace is kept to', async () => {
  const [one, other] = duplexPair();
  const [near, far] = [messageChannel(one), messageChannel(other)];
  let waiting = 0;
  const pace = async () => {
    expect(++waiting).toBe(1);
    await new Promise((next) => setTimeout(next, 1));
    waiting--;
  };
  const sending = near
    .sendAll(Readable.from([Buffer.alloc(10), Buffer.alloc(10), Buffer.alloc(10)]), { onBytes: ignore, pace })
    .then(() => near.sendEnd());
  await far.receiveAll(new PassThrough().resume(), ignore);
  await sending;
});
