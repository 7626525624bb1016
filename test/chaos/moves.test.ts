import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBusyboxImage } from '../support/busybox.ts';
import { startDaemonCluster, type Cluster, type ClusterMember } from '../support/cluster.ts';
import { makeTemporary } from '../support/ground.ts';
import { RestlessClient } from '../support/restless-client.ts';
import type { OperationView } from '../support/rest.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(300_000);

/**
 * A running instance goes from member to member, and who has to do with it is killed in the middle: it is whole on one of
 * them and nowhere else, it runs, and nothing is left over. And members that no longer hear each other.
 */
let dir: string;
let cluster: Cluster;
let content: string;
const name = 'c1';

const member = (of: string): ClusterMember => {
  const found = cluster.members.find((one) => one.name === of);
  if (!found) throw new Error(`no member ${of}`);
  return found;
};
/** Its mounts are in a namespace of its own. */
const at = (of: string, pool: string, ...parts: string[]): string =>
  join(`/proc/${member(of).pid}/root`, member(of).dir, 'storage-pools', pool, ...parts);
const volume = (of: string, pool: string): string => at(of, pool, 'containers', name);
const sum = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
const entries = (path: string): string[] => (existsSync(path) ? readdirSync(path) : []);

interface Instance {
  status: string;
  location: string;
}
const instance = async (asked: string): Promise<Instance | undefined> => {
  const answer = await member(asked).rest.send('GET', `/1.0/instances/${name}`);
  return answer.status === 200 ? (answer.metadata as Instance) : undefined;
};

/** Everything of the instance on a member, processes too. */
function tracesOn(of: string, pool: string): string[] {
  const monitors = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line === `[lxc monitor] ${member(of).dir}/containers ${name}`);
  const files = ['containers', 'containers-snapshots'].flatMap((kind) =>
    entries(at(of, pool, kind)).filter((entry) => entry.includes(name)),
  );
  return [...monitors, ...files];
}

const all = async (): Promise<void> => {
  for (const { name: asked, rest } of cluster.members) {
    await waitFor(
      `all members at ${asked}`,
      async () => {
        const answer = await rest.send('GET', '/1.0/cluster/members?recursion=1').catch(() => undefined);
        return (answer?.metadata ?? []) as { status: string; database: boolean }[];
      },
      (found) => found.length === 3 && found.every(({ status, database }) => status === 'Online' && database),
      90,
    );
  }
};

/** It is whole on one member and runs there, and no other has anything of it. */
async function whole(pool: string): Promise<string> {
  await all();
  const state = async () => {
    const seen = await Promise.all(cluster.members.map((one) => instance(one.name)));
    const [first] = seen;
    const traces = cluster.members.map((one) => [one.name, tracesOn(one.name, pool)] as const);
    return { seen, traces, location: first?.location ?? '' };
  };
  const { location } = await waitFor(
    'the instance on one member',
    state,
    ({ seen, traces, location: place }) =>
      seen.every((one) => one?.location === place && one.status === 'Running') &&
      traces.every(([of, found]) =>
        // Its monitor, its volume, its snapshots.
        of === place ? found.length === 3 : found.length === 0,
      ),
    60,
  );
  await waitFor(
    'its snapshots and nothing else',
    () => Promise.resolve(entries(at(location, pool, 'containers-snapshots', name))),
    (found) => found.join() === 's1',
  );
  expect(sum(join(volume(location, pool), 'rootfs/root/large'))).toBe(content);
  const kept = at(location, pool, 'containers-snapshots', name, 's1/rootfs/root/large');
  expect(sum(kept)).toBe(content);
  return location;
}

/** How the operation ended, by another member. A client is told something, whatever happened. */
async function outcome(id: string, asked: string): Promise<string> {
  const { status, metadata } = await member(asked).rest.send('GET', `/1.0/operations/${id}/wait?timeout=60`);
  if (status === 404) return 'gone';
  return (metadata as OperationView).status;
}

interface Going {
  pool: string;
  source: string;
  target: string;
  coordinator: string;
  /** Of the instance's init, before. */
  pid: number;
}

const partials = (of: string, pool: string): string[] =>
  entries(at(of, pool, 'containers')).filter((entry) => entry.startsWith('.partial-'));
const landed = ({ target, pool }: Going): boolean => existsSync(volume(target, pool));
const alive = (pid: number): boolean => existsSync(`/proc/${pid}`);
const placed = async ({ target, coordinator }: Going): Promise<boolean> =>
  (await instance(coordinator))?.location === target;

/** Moments of a move in their order, each told from the files and processes there are, or by the API. */
const moments: readonly (readonly [string, (move: Going) => boolean | Promise<boolean>])[] = [
  ['it was asked for', () => true],
  [
    'the mark for the last difference is there',
    ({ source, pool }) => entries(at(source, pool, 'containers-snapshots', name)).length > 1,
  ],
  ['the target receives', ({ target, pool }) => partials(target, pool).length > 0],
  ['the first pass has landed', landed],
  ['it has stopped', ({ pid }) => !alive(pid)],
  [
    'the target receives the difference',
    (move) => !alive(move.pid) && landed(move) && partials(move.target, move.pool).length > 0,
  ],
  [
    'the difference has landed',
    (move) => !alive(move.pid) && landed(move) && partials(move.target, move.pool).length === 0,
  ],
  ['it has its new place', placed],
  [
    'it runs there',
    async (move) => (await placed(move)) && (await instance(move.coordinator))?.status === 'Running',
  ],
  ['the source has nothing of it', ({ source, pool }) => !existsSync(volume(source, pool))],
];

/** Begins a move, and kills somebody at the moment; tells where the instance was found. */
async function killedAt(
  pool: string,
  moment: string,
  who: 'coordinator' | 'source' | 'target',
): Promise<void> {
  const source = await whole(pool);
  const [target, coordinator] = cluster.members.map((one) => one.name).filter((one) => one !== source);
  if (target === undefined || coordinator === undefined) throw new Error('too few members');
  const { metadata } = await member(source).rest.must('GET', `/1.0/instances/${name}/state`);
  const { pid } = metadata as { pid: number };
  const move: Going = { pool, source, target, coordinator, pid };
  const is = moments.find(([title]) => title === moment)?.[1];
  if (!is) throw new Error(`no moment "${moment}"`);
  const body = { name, migration: true, live: false };
  const begun = await member(coordinator).rest.send('POST', `/1.0/instances/${name}?target=${target}`, body);
  expect(begun.status).toBe(202);
  const { id } = begun.metadata as OperationView;
  const progress = { over: false };
  const ended = member(coordinator)
    .rest.send('GET', `/1.0/operations/${id}/wait`)
    .catch(() => undefined)
    .finally(() => (progress.over = true));
  while (!progress.over && !(await is(move))) await sleep(1);
  const late = progress.over;
  const victim = { coordinator, source, target }[who];
  await member(victim).crash();
  const asked = victim === coordinator ? source : coordinator;
  const told = await outcome(id, asked);
  await ended;
  const location = await whole(pool);
  console.log(
    `${who} ${victim} killed when ${moment}${late ? ' (it was over by then)' : ''}: ${source} -> ${target}, ` +
      `operation ${told}, found on ${location}`,
  );
  expect([source, target]).toContain(location);
  if (told === 'Success') expect(location).toBe(target);
}

beforeAll(async () => {
  dir = makeTemporary('moves');
  cluster = await startDaemonCluster(join(dir, 'hosts'));
  const { rest } = member('m1');
  for (const { name: of } of cluster.members)
    await rest.must('POST', `/1.0/storage-pools?target=${of}`, {
      name: 'fast',
      driver: 'btrfs',
      config: { size: '1GiB' },
    });
  await rest.must('POST', '/1.0/storage-pools', { name: 'fast', driver: 'btrfs' });
  const image = readFileSync(makeBusyboxImage(join(dir, 'image')).unified);
  await rest.must('POST', '/1.0/images', image, {
    'Content-Type': 'application/octet-stream',
    'X-LXD-aliases': 'alias=bb',
  });
  await all();
});

afterAll(async () => {
  const left = await cluster.stopAll();
  rmSync(dir, { recursive: true, force: true });
  expect(left).toEqual([]);
});

describe.each(['fast', 'default'])('an instance in pool %s is moved while it runs', (pool) => {
  beforeAll(async () => {
    const { rest } = member('m1');
    const images = (await rest.must('GET', '/1.0/images')).metadata as string[];
    await rest.must('POST', '/1.0/instances?target=m1', {
      name,
      source: { type: 'image', fingerprint: images[0]?.split('/').at(-1) },
      devices: { root: { type: 'disk', path: '/', pool } },
    });
    const file = join(volume('m1', pool), 'rootfs/root/large');
    execFileSync('dd', ['if=/dev/urandom', `of=${file}`, 'bs=1M', 'count=24'], { stdio: 'ignore' });
    content = sum(file);
    await rest.must('POST', `/1.0/instances/${name}/snapshots`, { name: 's1' });
    await rest.must('PUT', `/1.0/instances/${name}/state`, { action: 'start' });
  });

  afterAll(async () => {
    const { rest } = member('m1');
    await rest.must('PUT', `/1.0/instances/${name}/state`, { action: 'stop', force: true });
    await rest.must('DELETE', `/1.0/instances/${name}`);
    for (const one of cluster.members) expect(tracesOn(one.name, pool)).toEqual([]);
  });

  const some = (...chosen: number[]) => chosen.map((index) => moments[index]?.[0] ?? '');
  // With the other kind of pool it is only the files that go another way.
  test.each(pool === 'fast' ? moments.map(([title]) => title) : some(5))(
    'the server that does it is killed when %s',
    (moment) => killedAt(pool, moment, 'coordinator'),
  );
  test.each(pool === 'fast' ? some(2, 5, 9) : some(7))('the source is killed when %s', (moment) =>
    killedAt(pool, moment, 'source'),
  );
  test.each(pool === 'fast' ? some(2, 6, 8) : some(3))('the target is killed when %s', (moment) =>
    killedAt(pool, moment, 'target'),
  );
});

test.each([
  [1, 2],
  [1, 3],
  [2, 3],
])(
  'members %i and %i no longer hear each other, while a client makes, moves and deletes',
  async (one, other) => {
    const client = new RestlessClient(cluster.members, true);
    client.run();
    await sleep(1_000);
    cluster.underlay.cut(one, other, true);
    await sleep(6_000);
    cluster.underlay.cut(one, other, false);
    await sleep(2_000);
    await client.stop();
    await all();
    console.log(
      `m${one} and m${other} apart: ${client.made.size} instances, longest ${Math.round(client.longestGapMs)} ms ` +
        `without an answer, ${client.silences} requests unanswered`,
    );
    expect(client.made.size).toBeGreaterThan(5);
    interface Row extends Instance {
      name: string;
    }
    const rows = async (asked: ClusterMember): Promise<Row[]> =>
      (await asked.rest.must('GET', '/1.0/instances?recursion=1')).metadata as Row[];
    const places = (found: readonly Row[]) => found.map((row) => `${row.name} ${row.location}`).sort();
    // What was left half done is finished or taken back, and all say the same.
    const found = await waitFor(
      'one truth, and nothing half done',
      async () => {
        const seen = await Promise.all(cluster.members.map(rows));
        const volumes = cluster.members.flatMap(({ name: of }) =>
          entries(at(of, 'default', 'containers')).map((entry) => `${entry} ${of}`),
        );
        return { seen: seen.map(places), volumes: volumes.sort() };
      },
      ({ seen, volumes }) => seen.every((list) => list.join() === volumes.join()),
      60,
    );
    const [truth = []] = found.seen;
    for (const [made, where] of client.made) {
      const line = truth.find((row) => row.startsWith(`${made} `));
      expect(line).toBe(where === undefined ? (line ?? `${made} somewhere`) : `${made} ${where}`);
    }
    const allowed = new Set([...client.made.keys(), ...client.unsure]);
    expect(truth.map((row) => row.split(' ')[0] ?? '').filter((row) => !allowed.has(row))).toEqual([]);
    for (const row of truth)
      await member('m1').rest.must('DELETE', `/1.0/instances/${row.split(' ')[0] ?? ''}`);
  },
);
