import { randomUUID } from 'node:crypto';
import { openEtcdStore, openRecords } from '@lxd-ts/state';
import type { Rest } from '../support/rest.ts';
import { startSimulation, type Simulation } from '../scale/simulation.ts';
import { waitFor } from '../support/wait-for.ts';

/** Two servers of the control plane and three members, each a process that can be held up and killed. */
let simulation: Simulation;
let rests: Rest[];
const [first, second, third] = ['m0000', 'm0001', 'm0002'] as const;
const of = (member: string): string => `c-${member}`;
const { signal } = new AbortController();

beforeAll(async () => {
  simulation = await startSimulation({ servers: 2, members: 3, perProcess: 1, offlineThresholdMs: 6000 });
  ({ rests } = simulation);
  for (const member of simulation.members) {
    await rests[0]!.must('POST', `/1.0/instances?target=${member}`, {
      name: of(member),
      source: { type: 'none' },
    });
    await rests[0]!.must('PUT', `/1.0/instances/${of(member)}/state`, { action: 'start' });
  }
});
afterAll(() => simulation[Symbol.asyncDispose]());

interface Instance {
  name: string;
  status: string;
  location: string;
  state: { status: string } | null;
}
const list = async (rest: Rest): Promise<Record<string, Instance>> => {
  const { metadata } = await rest.must('GET', '/1.0/instances?recursion=2');
  return Object.fromEntries((metadata as Instance[]).map((instance) => [instance.name, instance]));
};
const memberStatus = async (rest: Rest, member: string): Promise<string> => {
  const { metadata } = await rest.must('GET', '/1.0/cluster/members?recursion=1');
  return (metadata as { server_name: string; status: string }[]).find(
    ({ server_name }) => server_name === member,
  )!.status;
};
const untilEverywhere = async (member: string, status: 'Online' | 'Offline'): Promise<void> => {
  for (const rest of rests)
    await waitFor(
      `${member} ${status}`,
      () => memberStatus(rest, member),
      (seen) => seen === status,
      60,
    );
};

test('a member that is held up is offline; everything else goes on, and nobody waits for it', async () => {
  simulation.agents[0]!.signal('SIGSTOP');
  // Whether or not it is known yet: a list answers.
  await list(rests[0]!);
  await untilEverywhere(first, 'Offline');
  for (const rest of rests) {
    const all = await list(rest);
    expect(all[of(first)]).toMatchObject({ status: 'Error', state: null, location: first });
    expect(all[of(second)]).toMatchObject({ status: 'Running', state: { status: 'Running' } });
    const change = { action: 'stop', force: true };
    const answer = await rest.call('PUT', `/1.0/instances/${of(first)}/state`, change);
    expect(answer.error).toContain('offline');
  }
  await rests[1]!.must('PUT', `/1.0/instances/${of(second)}/state`, { action: 'stop', force: true });
  await rests[0]!.must('PUT', `/1.0/instances/${of(second)}/state`, { action: 'start' });
  await rests[0]!.must('PATCH', '/1.0/profiles/default', { config: { 'user.a': 'b' } });
  for (const name of ['x1', 'x2', 'x3'])
    await rests[1]!.must('POST', '/1.0/instances', { name, source: { type: 'none' } });
  const placed = Object.values(await list(rests[0]!)).filter(({ name }) => name.startsWith('x'));
  expect(placed.map(({ location }) => location)).not.toContain(first);
  const aimed = await rests[0]!.call('POST', `/1.0/instances?target=${first}`, {
    name: 'x4',
    source: { type: 'none' },
  });
  expect(aimed.error).toContain(`${first} is offline`);
});

test('what the cluster has placed elsewhere meanwhile is stopped when the member is back', async () => {
  const store = openEtcdStore({ endpoints: simulation.endpoints, writer: 'test', id: randomUUID() });
  {
    await using records = await openRecords(store, { signal });
    await records.modify('placements', ['default', of(first)], () => ({ member: second }), { signal });
  }
  await store.close();
  simulation.agents[0]!.signal('SIGCONT');
  await untilEverywhere(first, 'Online');
  const has = async (what: 'running' | 'instances') =>
    (await simulation.agents[0]!.ask<Record<string, string[]>>(what))[first];
  await waitFor(
    'the end of the old copy',
    () => has('running'),
    (all) => all?.length === 0,
  );
  // Files are deleted by whoever moved it, never on a suspicion.
  expect(await has('instances')).toHaveLength(1);
  expect((await list(rests[0]!))[of(first)]).toMatchObject({ location: second });
});

test('a member whose agent is killed is offline until it is started again', async () => {
  await simulation.agents[2]![Symbol.asyncDispose]();
  await untilEverywhere(third, 'Offline');
  expect((await list(rests[1]!))[of(third)]).toMatchObject({ status: 'Error' });
  await simulation.startAgents([third]).heard();
  await untilEverywhere(third, 'Online');
  // It has nothing that runs.
  for (const rest of rests)
    await waitFor(
      'its instance',
      async () => (await list(rest))[of(third)]!.status,
      (seen) => seen === 'Stopped',
    );
  await rests[0]!.must('PUT', `/1.0/instances/${of(third)}/state`, { action: 'start' });
});

test('what a killed server was making is taken back by another, and its operations are forgotten', async () => {
  const agent = simulation.agents[1]!;
  await agent.ask('slow');
  const [doomed, other] = rests as [Rest, Rest];
  await doomed.send('POST', `/1.0/instances?target=${second}`, { name: 'half', source: { type: 'none' } });
  const names = async () => Object.keys(await list(other));
  expect(await names()).toContain('half');
  await simulation.servers[0]![Symbol.asyncDispose]();
  await agent.ask('fast');
  await waitFor('the recovery', names, (all) => !all.includes('half'), 60);
  expect((await agent.ask<Record<string, string[]>>('instances'))[second]).not.toContain('default/half');
  await waitFor(
    'the end of its operations',
    async () => (await other.must('GET', '/1.0/operations')).metadata,
    (left) => Object.values((left ?? {}) as Record<string, string[]>).flat().length === 0,
  );
  await other.must('POST', `/1.0/instances?target=${second}`, { name: 'half', source: { type: 'none' } });
});
