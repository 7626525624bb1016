import { setTimeout as sleep } from 'node:timers/promises';
import { memoryStore } from '@lxd-ts/state';
import type { Logger } from '../services.ts';
import { bePresent, isPresent, lead, type Duty, type Term } from './leader.ts';

const silent = () => undefined;
const log: Logger = { debug: silent, info: silent, warn: silent, error: silent };

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 1000) throw new Error('it did not come');
    await sleep(10);
  }
}

test('one leads; the next one when it is gone; nobody commits after the term', async () => {
  const store = memoryStore();
  const [first, second] = [new AbortController(), new AbortController()];
  const done: string[] = [];
  const terms: Term[] = [];
  const duties = (name: string): Duty[] => [
    {
      name: 'count',
      everyMs: 5,
      run: async (term) => {
        terms.push(term);
        done.push(name);
        if (done.length === 2) throw new Error('it fails now and then');
        await Promise.resolve();
      },
    },
  ];
  const a = lead(store, { name: 'a', log, duties: duties('a'), ttlSeconds: 2, signal: first.signal });
  await until(() => done.length > 3);
  const b = lead(store, { name: 'b', log, duties: duties('b'), ttlSeconds: 2, signal: second.signal });
  await until(() => done.length > 8);
  expect(new Set(done)).toEqual(new Set(['a']));
  const [old] = terms;
  first.abort();
  await a;
  await until(() => done.includes('b'));
  expect(old?.signal.aborted).toBe(true);
  const late = { type: 'put' as const, key: 'x', value: 1 };
  const { signal } = new AbortController();
  expect(await store.commit([old!.guard], [late], { signal })).toEqual({ ok: false });
  expect(done.lastIndexOf('a')).toBeLessThan(done.indexOf('b'));
  second.abort();
  await b;
});

test('a server is present as long as it says so', async () => {
  const store = memoryStore();
  const { signal } = new AbortController();
  expect(await isPresent(store, 'a', signal)).toBe(false);
  const alive = new AbortController();
  const presence = bePresent(store, { name: 'a', ttlSeconds: 2, signal: alive.signal });
  for (let tries = 0; !(await isPresent(store, 'a', signal)); tries++) {
    if (tries > 1000) throw new Error('it did not come');
    await sleep(10);
  }
  alive.abort();
  await presence;
  expect(await isPresent(store, 'a', signal)).toBe(false);
});
