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
  const at = { ms: 0 };
  const agents = new AgentRegistry({
    log: {
      debug: silent,
      info: silent,
      warn: (message) => warnings.push(message),
      error: (m) => warnings.push(m),
    },
    onObservation: () => Promise.resolve(),
    onConnected: () => Promise.resolve(),
    thresholdMs: () => 3000,
    monotonic: () => at.ms,
    ...more,
  });
  return { agents, warnings, at };
}

test('a member is offline until its agent is connected, and again when it is gone', async () => {
  const { agents, at } = registry();
  at.ms = 4000;
  expect(() => agents.get('n1')).toThrow('Member "n1" is offline');
  const agent = telling(all);
  await agents.connected('n1', agent);
  expect(agents.get('n1')).toBe(agent);
  expect(agents.online()).toEqual(['n1']);
  expect(agents.description('n1')).toBe(description);
  agents.disconnected('n1', agent);
  expect(agents.online()).toEqual([]);
  expect(agents.state('n1')).toBe('unreachable');
  const waiting = agents.get('n1').describe({ signal: AbortSignal.timeout(60_000) });
  at.ms += 3000;
  expect(agents.state('n1')).toBe('offline');
  await expect(waiting).rejects.toThrow('offline');
  expect(() => agents.get('n1')).toThrow('offline');
  agents[Symbol.dispose]();
});

test('a member that is silent is not counted on, and let go of when it is offline', async () => {
  const { agents, at } = registry({ own: 'me' });
  using _agents = agents;
  const dropped: unknown[] = [];
  agents.drop = (agent) => dropped.push(agent);
  const agent = telling(all);
  await agents.connected('n1', agent);
  await agents.connected('me', telling(all));
  const pass = (ms: number) => {
    for (const end = at.ms + ms; at.ms < end;) {
      at.ms += 500;
      agents.look();
    }
  };
  expect(agents.heartbeatMs()).toBe(300);
  pass(1000);
  expect(agents.state('n1')).toBe('online');
  pass(500);
  expect(agents.state('n1')).toBe('unreachable');
  expect(agents.online()).toEqual(['me']);
  // It may only be slow.
  expect(agents.get('n1')).toBe(agent);
  agents.heard('n1');
  expect(agents.state('n1')).toBe('online');
  pass(2500);
  expect(dropped).toEqual([]);
  pass(500);
  expect(agents.state('n1')).toBe('offline');
  expect(dropped).toEqual([agent]);
  expect(agents.online()).toEqual(['me']);
});

test('a member that was offline, if only between two looks, has to connect again', async () => {
  const { agents, at } = registry();
  using _agents = agents;
  const dropped: unknown[] = [];
  agents.drop = (agent) => dropped.push(agent);
  const agent = telling(all);
  await agents.connected('n1', agent);
  for (let ms = 0; ms < 2500; ms += 500) {
    at.ms += 500;
    agents.look();
  }
  expect(dropped).toEqual([]);
  at.ms += 600;
  expect(agents.state('n1')).toBe('offline');
  agents.heard('n1');
  expect(dropped).toEqual([agent]);
});

test('when this server is held up, nobody else was silent', async () => {
  const { agents, at } = registry();
  using _agents = agents;
  await agents.connected('n1', telling(all));
  at.ms += 60_000;
  agents.look();
  expect(agents.state('n1')).toBe('online');
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
