import { drivers, fakeAgent, harness, type FakeAgent, type Harness } from '../testing/harness.ts';
import { createInstance } from './create.ts';
import { Leases } from './leases.ts';
import { instancesService, type InstancesService } from './service.ts';
import { changeState } from './state-change.ts';
import { patch } from './update.ts';

const signal = AbortSignal.timeout(60_000);
const project = 'default';
const term = { guard: { key: '', revision: 0 } as never, signal };
// The clock of the harness stands at 2026-01-02T03:04:05Z.
const past = '2026-01-02T03:04:04Z';
const future = '2026-01-02T04:04:06+01:00';

let agent: FakeAgent;
let h: Harness;
let service: InstancesService;

const make = (name: string, config: Record<string, string>) =>
  h.finish(createInstance(service.context, { project, body: { name, config, source: { type: 'none' } } }));
const names = () => h.records.list('instances', project).map(({ value }) => value.name);
const until = async (done: () => boolean) => {
  for (let tries = 0; tries < 500 && !done(); tries++) await new Promise((next) => setTimeout(next, 5));
};

beforeEach(async () => {
  agent = fakeAgent();
  h = await harness({ m1: agent.agent });
  service = instancesService(h.services, drivers);
});
afterEach(() => h[Symbol.asyncDispose]());

test('what nobody holds any more is stopped, then deleted; the rest stays', async () => {
  await make('over', { 'lease.expires_at': past });
  await make('held', { 'lease.expires_at': future });
  await make('kept', { 'lease.expires_at': past, 'security.protection.delete': 'true' });
  await make('plain', {});
  await changeState(
    service.context,
    project,
    'over',
    { action: 'start', force: false, timeoutMs: -1 },
    { id: 'o', signal },
  );
  using held = new Leases(service.context);
  const duty = held.duty();
  await duty.run(term);
  await until(() => !agent.running.has('over'));
  await until(() => h.records.get('statuses', project, 'over')?.value.status === 'Stopped');
  expect(names()).toContain('over');
  await duty.run(term);
  await until(() => !names().includes('over'));
  await duty.run(term);
  expect(names().sort()).toEqual(['held', 'kept', 'plain']);
});

test('who holds it moves its end on', async () => {
  await make('c1', { 'lease.expires_at': past });
  await patch(
    service.context,
    { project, name: 'c1', body: { config: { 'lease.expires_at': future } } },
    signal,
  );
  using held = new Leases(service.context);
  await held.duty().run(term);
  expect(agent.calls).not.toContain('deleteInstance c1');
  expect(names()).toEqual(['c1']);
});

test('what is held is known as it comes and goes, and nothing else is looked at', async () => {
  using held = new Leases(service.context);
  for (let at = 0; at < 5; at++) await make(`plain${at}`, {});
  await make('over', { 'lease.expires_at': past });
  await make('freed', { 'lease.expires_at': past });
  await patch(
    service.context,
    { project, name: 'freed', body: { config: { 'lease.expires_at': '' } } },
    signal,
  );
  const asked: string[] = [];
  const { records } = service.context.services;
  const get = records.get.bind(records);
  const list = jest.spyOn(records, 'list');
  records.get = (kind, ...id) => {
    if (kind === 'instances') asked.push(id.at(-1) ?? '');
    return get(kind, ...id);
  };
  await held.duty().run(term);
  expect(new Set(asked)).toEqual(new Set(['over']));
  expect(list.mock.calls.filter(([kind]) => kind === 'instances')).toEqual([]);
  await until(() => !names().includes('over'));
  expect(names()).not.toContain('over');
});
