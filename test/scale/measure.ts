import { setTimeout as sleep } from 'node:timers/promises';
import type { Rest } from '../support/rest.ts';
import { cpuMs, rssOf } from './child.ts';
import { startSimulation, type Simulation, type Size } from './simulation.ts';

/** Times in milliseconds, memory in bytes, rates per second. Of servers: the one that needed most. */
export interface Figures extends Size {
  connectMs: number;
  /** CPU in milliseconds per second that signs of life cost one server, and all agents together. */
  heartbeatServerCpu: number;
  heartbeatAgentsCpu: number;
  /** Accepted and committed with their place. */
  placementsPerSecond: number;
  /** With everything that follows, until nothing is under way any more. */
  createsPerSecond: number;
  lists: { recursion0: number; recursion1: number; recursion2: number };
  /** One after the other. */
  getMs: number;
  idleServerMemory: number;
  serverMemory: number;
  /** What is in use of it. */
  serverHeap: number;
  etcdMemory: number;
  /** Fewest and most instances on a member. */
  spread: [number, number];
}

const inFlight = 64;
/** Every other instance sets something aside. */
const limits = { 'limits.memory': '256MiB' };

async function inParallel(count: number, work: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let number = next++; number < count; number = next++) await work(number);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

const nameOf = (number: number): string => `c${String(number).padStart(6, '0')}`;

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function timed(times: number, work: () => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  for (let time = 0; time < times; time++) {
    const began = performance.now();
    await work();
    taken.push(performance.now() - began);
  }
  return median(taken);
}

async function heartbeats(
  simulation: Simulation,
  seconds: number,
): Promise<[server: number, agents: number]> {
  const { servers, agents } = simulation;
  const used = () => [
    servers.map(({ pid }) => cpuMs(pid)),
    [agents.reduce((sum, { pid }) => sum + cpuMs(pid), 0)],
  ];
  const [serversBefore = [], agentsBefore = []] = used();
  await sleep(seconds * 1000);
  const [serversAfter = [], agentsAfter = []] = used();
  const perSecond = (after: number[], before: number[]) =>
    Math.max(...after.map((ms, at) => (ms - (before[at] ?? 0)) / seconds));
  return [perSecond(serversAfter, serversBefore), perSecond(agentsAfter, agentsBefore)];
}

async function create(rests: Rest[], count: number): Promise<{ placedMs: number; doneMs: number }> {
  const began = performance.now();
  await inParallel(count, async (number) => {
    const rest = rests[number % rests.length]!;
    const answer = await rest.send('POST', '/1.0/instances', {
      name: nameOf(number),
      source: { type: 'none' },
      config: number % 2 === 0 ? limits : {},
    });
    if (answer.status !== 202) throw new Error(`${nameOf(number)}: ${answer.text}`);
  });
  const placedMs = performance.now() - began;
  for (;;) {
    const left = await Promise.all(
      rests.map(async (rest) => {
        const { metadata } = await rest.must('GET', '/1.0/operations');
        const { failure = [], running = [] } = (metadata ?? {}) as Record<string, string[]>;
        if (failure.length > 0) {
          const { text } = await rest.send('GET', failure[0]!);
          throw new Error(`a creation failed: ${text}`);
        }
        return running.length;
      }),
    );
    if (left.every((running) => running === 0)) break;
    await sleep(50);
  }
  return { placedMs, doneMs: performance.now() - began };
}

/** What the records say and what the members have, compared; throws where something is lost, twice or too much. */
async function check({ rests, agents, members }: Simulation, count: number): Promise<[number, number]> {
  const held = new Map<string, string[]>();
  for (const child of agents)
    for (const [member, names] of Object.entries(await child.ask<Record<string, string[]>>('instances')))
      held.set(
        member,
        names.map((name) => name.replace(/^default\//, '')),
      );
  for (const rest of rests) {
    const { metadata } = await rest.must('GET', '/1.0/instances?recursion=1');
    const listed = metadata as { name: string; location: string; status: string }[];
    const wrong = (what: string) => new Error(`instances ${what}`);
    if (listed.length !== count) throw wrong(`listed: ${listed.length} of ${count}`);
    for (const [member, names] of held) {
      const here = listed.filter(({ location }) => location === member).map(({ name }) => name);
      if (here.sort().join() !== [...names].sort().join())
        throw wrong(`of ${member} are not those on record`);
    }
    const all = [...held.values()].flat();
    if (all.length !== count || new Set(all).size !== count) throw wrong('lost or twice');
  }
  const counts = members.map((member) => held.get(member)?.length ?? 0);
  return [Math.min(...counts), Math.max(...counts)];
}

/** Runs one size from nothing to everything checked. */
export async function measure(size: Size, idleSeconds: number): Promise<Figures> {
  await using simulation = await startSimulation(size);
  const { rests, servers, etcdPid } = simulation;
  const [first] = rests;
  if (!first) throw new Error('there is no server');
  const memory = async () => {
    const all = await Promise.all(
      servers.map((server) => server.ask<{ rss: number; heapUsed: number }>('memory')),
    );
    return {
      rss: Math.max(...all.map(({ rss }) => rss)),
      heap: Math.max(...all.map(({ heapUsed }) => heapUsed)),
    };
  };
  const idle = await memory();
  const [heartbeatServerCpu, heartbeatAgentsCpu] = await heartbeats(simulation, idleSeconds);
  const { placedMs, doneMs } = await create(rests, size.instances);
  const list = (recursion: number) =>
    timed(3, () => first.must('GET', `/1.0/instances?recursion=${recursion}`));
  const lists = { recursion0: await list(0), recursion1: await list(1), recursion2: await list(2) };
  const getMs = await timed(50, () => first.must('GET', `/1.0/instances/${nameOf(0)}`));
  const used = await memory();
  return {
    ...size,
    connectMs: simulation.connectMs,
    heartbeatServerCpu,
    heartbeatAgentsCpu,
    placementsPerSecond: size.instances / (placedMs / 1000),
    createsPerSecond: size.instances / (doneMs / 1000),
    lists,
    getMs,
    idleServerMemory: idle.rss,
    serverMemory: used.rss,
    serverHeap: used.heap,
    etcdMemory: rssOf(etcdPid),
    spread: await check(simulation, size.instances),
  };
}
