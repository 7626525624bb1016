import { startSimulation, type Simulation } from '../scale/simulation.ts';

/** Two servers of the control plane on one etcd, and three members of 256 GiB. */
const GiB = 1024 ** 3;
let simulation: Simulation;

beforeAll(async () => {
  simulation = await startSimulation({ servers: 2, members: 3 });
});
afterAll(() => simulation[Symbol.asyncDispose]());

interface Instance {
  name: string;
  location: string;
}
const list = async (): Promise<Instance[]> =>
  (await simulation.rests[1]!.must('GET', '/1.0/instances?recursion=1')).metadata as Instance[];

/** Asks both servers at once; tells which were made. */
const createAll = async (names: string[], config: Record<string, string>): Promise<string[]> => {
  const errors = await Promise.all(
    names.map(async (name, at) => {
      const body = { name, source: { type: 'none' }, config };
      return (await simulation.rests[at % 2]!.call('POST', '/1.0/instances', body)).error;
    }),
  );
  for (const error of errors)
    if (error) expect(error).toMatch(/No member can take|other servers take the room/);
  return names.filter((_, at) => !errors[at]);
};

/** The same, one after the other: who was refused while another's turn was not over yet, is not when it asks again. */
const createEach = async (names: string[], config: Record<string, string>): Promise<string[]> => {
  const made: string[] = [];
  for (const name of names) made.push(...(await createAll([name], config)));
  return made;
};

const named = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, number) => `${prefix}${number}`);

const remove = async (): Promise<void> => {
  await Promise.all(
    (await list()).map(({ name }, at) => simulation.rests[at % 2]!.must('DELETE', `/1.0/instances/${name}`)),
  );
};

test('two servers that place at once never give a member more than it has', async () => {
  const config = { 'limits.memory': '64GiB' };
  const made = await createAll(named('a', 40), config);
  const room = async () => {
    const instances = await list();
    return ['m0000', 'm0001', 'm0002'].map(
      (member) => instances.filter(({ location }) => location === member).length,
    );
  };
  const more = await createEach(named('b', 13 - made.length), config);
  expect(made.length + more.length).toBe(12);
  expect(await room()).toEqual([4, 4, 4]);
  const explained = await simulation.rests[0]!.must('POST', '/1.0/cluster/explain', {
    source: { type: 'none' },
    config,
  });
  expect(explained.metadata).toMatchObject({
    location: '',
    members: Array.from({ length: 3 }, () => ({ memory: { total: 256 * GiB, reserved: 256 * GiB } })),
  });
  await remove();
  expect(await createEach(named('c', 13), config)).toHaveLength(12);
  await remove();
});

test('two servers that place at once keep apart what must not be together', async () => {
  const config = { 'placement.labels': 'db', 'placement.anti_affinity': 'db' };
  const made = await createAll(named('d', 10), config);
  const more = await createEach(named('e', 4 - made.length), config);
  expect(made.length + more.length).toBe(3);
  expect((await list()).map(({ location }) => location).sort()).toEqual(['m0000', 'm0001', 'm0002']);
  await remove();
});

test('a limit can be raised to what is there, whichever server is asked', async () => {
  await simulation.rests[0]!.must('POST', '/1.0/instances?target=m0000', {
    name: 'f',
    source: { type: 'none' },
    config: { 'limits.memory': '200GiB' },
  });
  await simulation.rests[0]!.must('POST', '/1.0/instances?target=m0000', {
    name: 'g',
    source: { type: 'none' },
  });
  const raise = (to: string) =>
    simulation.rests[1]!.call('PATCH', '/1.0/instances/g', { config: { 'limits.memory': to } });
  expect((await raise('57GiB')).error).toContain('has 56.00GiB of 256.00GiB memory left');
  expect((await raise('56GiB')).error).toBe('');
  await remove();
});
