import { fakeHost } from '@lxd-ts/host';
import { VolumeUses } from './volume-uses.ts';

function recorder() {
  const told: string[] = [];
  const tell = (what: string) => () => {
    told.push(what);
    return Promise.resolve();
  };
  return { told, open: tell('open'), close: tell('close') };
}

test('the first use opens, the last one closes, many at once too', async () => {
  const uses = VolumeUses.of(fakeHost(), 'any');
  const { told, open, close } = recorder();
  const all = await Promise.all([1, 2, 3].map(() => uses.use('/v', open, close)));
  for (const use of all) {
    expect(told).toEqual(['open']);
    await use[Symbol.asyncDispose]();
    await use[Symbol.asyncDispose]();
  }
  expect(told).toEqual(['open', 'close']);
  expect(uses.isOpen('/v')).toBe(false);
});

test('what is held stays open without users, and what is used stays open when it is released', async () => {
  const uses = VolumeUses.of(fakeHost(), 'any');
  const { told, open, close } = recorder();
  await uses.hold('/v', open);
  await uses.hold('/v', open);
  await (await uses.use('/v', open, close))[Symbol.asyncDispose]();
  expect(told).toEqual(['open']);
  const use = await uses.use('/v', open, close);
  await uses.release('/v', close);
  expect(told).toEqual(['open']);
  await use[Symbol.asyncDispose]();
  expect(told).toEqual(['open', 'close']);
  await uses.adopt('/v');
  expect(uses.isHeld('/v')).toBe(true);
  await uses.release('/v', close);
  expect(told).toEqual(['open', 'close', 'close']);
  expect(uses.isOpen('/v')).toBe(false);
});

test('one that cannot be opened is not in use, and keeps nobody from trying again', async () => {
  const host = fakeHost();
  const uses = VolumeUses.of(host, 'any');
  const { told, open, close } = recorder();
  await expect(uses.use('/v', () => Promise.reject(new Error('no')), close)).rejects.toThrow('no');
  expect(uses.isOpen('/v')).toBe(false);
  await using _use = await VolumeUses.of(host, 'any').use('/v', open, close);
  expect(told).toEqual(['open']);
  expect(uses.isOpen('/v')).toBe(true);
  expect(VolumeUses.of(host, 'other').isOpen('/v')).toBe(false);
});

test('who holds what is not to be shared is refused while somebody opens it', async () => {
  const uses = VolumeUses.of(fakeHost(), 'any');
  const { told, open, close } = recorder();
  const refuse = () => {
    throw new Error('in use');
  };
  const opening = uses.use('/v', open, close);
  await expect(uses.hold('/v', open, refuse)).rejects.toThrow('in use');
  expect(uses.isHeld('/v')).toBe(false);
  await (await opening)[Symbol.asyncDispose]();
  await uses.hold('/v', open, refuse);
  expect(told).toEqual(['open', 'close', 'open']);
});
