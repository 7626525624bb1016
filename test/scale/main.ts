import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { measure, type Figures } from './measure.ts';

const { values } = parseArgs({
  options: {
    servers: { type: 'string', default: '1,3' },
    members: { type: 'string', default: '50,200' },
    instances: { type: 'string', default: '10000' },
    idle: { type: 'string', default: '10' },
    json: { type: 'string', default: 'scale.json' },
  },
});

const numbers = (text: string): number[] => text.split(',').map(Number);
const mib = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)}`;
const round = (value: number, digits = 0): string => value.toFixed(digits);

const rows: readonly [title: string, of: (figures: Figures) => string][] = [
  ['servers', ({ servers }) => String(servers)],
  ['members', ({ members }) => String(members)],
  ['instances', ({ instances }) => String(instances)],
  ['all connected (ms)', ({ connectMs }) => round(connectMs)],
  ['signs of life, CPU of a server (ms/s)', ({ heartbeatServerCpu }) => round(heartbeatServerCpu, 1)],
  ['signs of life, CPU of all agents (ms/s)', ({ heartbeatAgentsCpu }) => round(heartbeatAgentsCpu, 1)],
  ['placements committed (/s)', ({ placementsPerSecond }) => round(placementsPerSecond)],
  ['creations finished (/s)', ({ createsPerSecond }) => round(createsPerSecond)],
  ['list, recursion 0 (ms)', ({ lists }) => round(lists.recursion0)],
  ['list, recursion 1 (ms)', ({ lists }) => round(lists.recursion1)],
  ['list, recursion 2 (ms)', ({ lists }) => round(lists.recursion2)],
  ['GET of one (ms)', ({ getMs }) => round(getMs, 1)],
  ['memory of a server, idle (MiB)', ({ idleServerMemory }) => mib(idleServerMemory)],
  ['memory of a server (MiB)', ({ serverMemory }) => mib(serverMemory)],
  ['of that in use by its objects (MiB)', ({ serverHeap }) => mib(serverHeap)],
  ['memory of etcd (MiB)', ({ etcdMemory }) => mib(etcdMemory)],
  ['instances on a member, fewest-most', ({ spread }) => spread.join('-')],
];

async function main(): Promise<void> {
  const all: Figures[] = [];
  for (const servers of numbers(values.servers))
    for (const members of numbers(values.members))
      for (const instances of numbers(values.instances)) {
        process.stderr.write(`${servers} servers, ${members} members, ${instances} instances ...\n`);
        all.push(await measure({ servers, members, instances }, Number(values.idle)));
      }
  const width = Math.max(...rows.map(([title]) => title.length));
  for (const [title, of] of rows)
    process.stdout.write(`${title.padEnd(width)}${all.map((one) => of(one).padStart(10)).join('')}\n`);
  writeFileSync(values.json, `${JSON.stringify(all, undefined, 2)}\n`);
}

void main();
