import type { MemberDescription } from '@lxd-ts/rpc';
import { drivers, fakeAgent, harness } from '../testing/harness.ts';
import { bringUp } from './bring-up.ts';
import { createInstance } from './create.ts';
import { instancesService } from './service.ts';

const project = 'default';
const options = { signal: AbortSignal.timeout(60_000) };

test('what should run is started once after each start of an agent, by one server', async () => {
  const fake = fakeAgent();
  await using base = await harness({ m1: fake.agent });
  const { context } = instancesService(base.services, drivers);
  const body = { name: 'c1', source: { type: 'none' }, config: { 'boot.autostart': 'true' } };
  await base.finish(createInstance(context, { project, body }));
  let run = 'first';
  base.services.agents.description = () => ({ run }) as MemberDescription;
  const other = { ...context, services: { ...base.services, server: 'm2' } };
  const stopped = () =>
    base.records
      .transaction()
      .put('statuses', [project, 'c1'], { status: 'Stopped', pid: 0 })
      .commit(options);
  const starts = () => fake.calls.filter((call) => call.startsWith('startInstance')).length;

  await bringUp(context, 'm1', options);
  expect(starts()).toBe(1);
  await stopped();
  await bringUp(context, 'm1', options);
  await bringUp(other, 'm1', options);
  expect(starts()).toBe(1);

  run = 'second';
  await Promise.all([bringUp(context, 'm1', options), bringUp(other, 'm1', options)]);
  expect(starts()).toBe(2);
  expect(base.records.get('memberStatuses', 'm1')?.value).toMatchObject({ state: 'online', run: 'second' });
  expect(base.records.get('memberStatuses', 'm1')?.value.starting).toBeUndefined();

  // Ended while it was at it: it goes on, the others do not begin.
  await stopped();
  await base.records.modify('memberStatuses', ['m1'], (value) => ({ ...value, starting: 'm1' }), options);
  await bringUp(other, 'm1', options);
  expect(starts()).toBe(2);
  await bringUp(context, 'm1', options);
  expect(starts()).toBe(3);
});
