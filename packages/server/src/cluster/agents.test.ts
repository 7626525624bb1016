import type { Agent, MemberDescription, Observation } from '@lxd-ts/rpc';
import { AgentRegistry, type AgentsOptions } from './agents.ts';

const description = { architectures: ['x86_64'] } as MemberDescription;
const silent = () => undefined;

function agentThat(observe: Agent['observe']): Agent {
  return { describe: () => Promise.resolve(description), observe } as unknown as Agent;
}

const all: Observation = { kind: 'all', instances: [] };

/** Tells this much, then nothing more until it is given up. */
const telling = (...observations: Observation[]): Agent =>
  agentThat(async function* ({ signal }) {
    yield* observations;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  });

function registry(more: Partial<AgentsOptions> = {}) {
  const warnings: string[] = [];
  const agents = new AgentRegistry({
    log: {
      debug: silent,
      info: silent,
      warn: (message) => warnings.push(message),
      error: (m) => warnings.push(m),
    },
    onObservation: () => Promise.resolve(),
    onConnected: () => Promise.resolve(),
    ...more,
  });
  return { agents, warnings };
}

test('a member is offline until its agent is connected, and again when it is gone', async () => {
  const { agents } = registry();
  expect(() => agents.get('n1')).toThrow('Member "n1" is offline');
  const agent = telling(all);
  await agents.connected('n1', agent);
  expect(agents.get('n1')).toBe(agent);
  expect(agents.online()).toEqual(['n1']);
  expect(agents.description('n1')).toBe(description);
  agents.disconnected('n1', agent);
  expect(agents.online()).toEqual([]);
  expect(() => agents.get('n1')).toThrow('offline');
});

test('a member counts as connected once what it has is on record', async () => {
  const order: string[] = [];
  const { agents } = registry({
    onConnected: () => Promise.resolve(void order.push('restored')),
    onObservation: async () => {
      await new Promise(setImmediate);
      order.push('recorded');
    },
  });
  using _agents = agents;
  await agents.connected('n1', telling(all));
  expect(order).toEqual(['restored', 'recorded']);
});

test('a late farewell of an earlier connection does not end the new one', async () => {
  const { agents } = registry();
  using _agents = agents;
  const [first, second] = [telling(all), telling(all)];
  await agents.connected('n1', first);
  await agents.connected('n1', second);
  agents.disconnected('n1', first);
  expect(agents.get('n1')).toBe(second);
});

test('what cannot be taken in is told, not thrown', async () => {
  const { agents, warnings } = registry({ onConnected: () => Promise.reject(new Error('no bridge')) });
  using _agents = agents;
  await agents.connected('n1', telling(all));
  expect(warnings).toEqual(['a member could not be taken in']);
});

test('an observer that ends is asked again', async () => {
  let asked = 0;
  const twice = Promise.withResolvers<void>();
  const agent = agentThat(async function* () {
    asked += 1;
    if (asked === 2) twice.resolve();
    yield await Promise.resolve(all);
    throw new Error('broken');
  });
  const { agents, warnings } = registry({ againMs: 1 });
  using _agents = agents;
  await agents.connected('n1', agent);
  await twice.promise;
  expect(warnings[0]).toContain('tried again');
});
