import { setTimeout as sleep } from 'node:timers/promises';
import type { Pending } from '@lxd-ts/state';
import { fakeAgent, harness } from '../features/testing/harness.ts';
import { finishLater } from './unfinished.ts';

const signal = AbortSignal.timeout(60_000);

async function ground() {
  const base = await harness({ m1: fakeAgent().agent });
  const ending = new AbortController();
  const given: string[][] = [];
  const at = new Set<string>();
  const services = {
    ...base.services,
    server: 'm1',
    operations: { ...base.services.operations, isRunning: (id: string) => at.has(id) },
  };
  const intend = (operation: string, server = 'm1') => {
    const pending: Pending = { kind: 'update', operation, server };
    return base.records.modify('pools', ['default'], (value) => ({ ...value, pending }), { signal });
  };
  const settle = () =>
    base.records.modify('pools', ['default'], ({ pending: _, ...value }) => value, { signal });
  const run = (recover: () => Promise<void>) =>
    finishLater(services, {
      recover: (servers) => {
        given.push([...servers]);
        return recover();
      },
      shortestMs: 10,
      longestMs: 20,
      signal: ending.signal,
    });
  return { ...base, at, given, intend, settle, run, end: () => ending.abort() };
}

test('what failed is tried again until it is finished', async () => {
  await using base = await ground();
  await base.intend('o1');
  const over = base.run(async () => {
    if (base.given.length < 3) throw new Error('not yet');
    await base.settle();
  });
  while (base.given.length < 3) await sleep(5);
  await sleep(100);
  base.end();
  await over;
  expect(base.given).toEqual([['m1'], ['m1'], ['m1']]);
});

test.each([
  ['is being worked on', 'o1', 'm1'],
  ['another server does', '', 'm2'],
])('what %s is left alone', async (_, running, server) => {
  await using base = await ground();
  base.at.add(running);
  await base.intend('o1', server);
  const over = base.run(() => Promise.resolve());
  await sleep(100);
  base.end();
  await over;
  expect(base.given).toEqual([]);
});
