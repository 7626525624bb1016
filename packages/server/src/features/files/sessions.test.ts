import { FileSessions } from './sessions.ts';
import { fakeSftp as fake } from '@lxd-ts/rpc';

const { done, fakeSftp } = fake;

let opened: ReturnType<typeof fakeSftp>[];
let sessions: FileSessions;
const open = () => {
  const one = fakeSftp(() => done);
  opened.push(one);
  return Promise.resolve(one.stream);
};

beforeEach(() => {
  opened = [];
  sessions = new FileSessions();
});
afterEach(() => {
  sessions[Symbol.dispose]();
  jest.useRealTimers();
});

describe('sessions in files', () => {
  it('are shared, and kept for a moment', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const both = [sessions.acquire('a', open), sessions.acquire('a', open)] as const;
    const [first, second] = await Promise.all(both);
    expect(first.client).toBe(second.client);
    first[Symbol.dispose]();
    second[Symbol.dispose]();
    second[Symbol.dispose]();
    jest.advanceTimersByTime(1_000);
    const third = await sessions.acquire('a', open);
    expect(third.client).toBe(first.client);
    jest.advanceTimersByTime(60_000);
    expect(opened[0]?.stream.destroyed).toBe(false);
    third[Symbol.dispose]();
    jest.advanceTimersByTime(60_000);
    await third.client.closed;
    await sessions.acquire('a', open);
    expect(opened).toHaveLength(2);
  });

  it('are opened again after one that ended, or could not be opened', async () => {
    const first = await sessions.acquire('a', open);
    opened[0]?.other.destroy();
    await first.client.closed;
    await new Promise(setImmediate);
    await expect(sessions.acquire('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    const next = await sessions.acquire('a', open);
    expect(next.client).not.toBe(first.client);
  });

  it('are not shared with one that was abandoned, which ends with its last user', async () => {
    const first = await sessions.acquire('a', open);
    const shared = await sessions.acquire('a', open);
    first.abandon();
    first[Symbol.dispose]();
    const second = await sessions.acquire('a', open);
    expect(second.client).not.toBe(first.client);
    expect(opened[0]?.stream.destroyed).toBe(false);
    shared[Symbol.dispose]();
    await first.client.closed;
    expect(opened[1]?.stream.destroyed).toBe(false);
  });
});
