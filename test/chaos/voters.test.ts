import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { encodeJoinToken } from '@lxd-ts/rpc';
import { makeTemporary } from '../support/ground.ts';
import { Host, ip } from '../support/host.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(240_000);

/** Who has a copy of the state and a vote, on five hosts in three failure domains that come and go. */
const hub = 'lxtvo';
const replaceAfterSeconds = '5';
let dir: string;
let hosts: Host[];

const host = (name: string): Host => {
  const found = hosts.find((one) => one.name === name);
  if (!found) throw new Error(`no host ${name}`);
  return found;
};

interface Member {
  server_name: string;
  database: boolean;
  status: string;
}
const members = async (asked: Host): Promise<Member[]> =>
  (await asked.rest.must('GET', '/1.0/cluster/members?recursion=1')).metadata as Member[];

/** Until exactly these have a vote, as every one of them says, and each decides. */
async function votes(...wanted: string[]): Promise<void> {
  for (const name of wanted)
    await waitFor(
      `votes of ${wanted.join(', ')} at ${name}`,
      async () => {
        const all = await members(host(name)).catch(() => []);
        return all.filter(({ database }) => database).map((one) => one.server_name);
      },
      (found) => found.sort().join() === wanted.join(),
      90,
    );
  // Who is to have one has it on record before.
  await waitFor(
    `an etcd on ${wanted.join(', ')}`,
    () => Promise.resolve(hosts.filter(({ etcd }) => etcd !== undefined).map(({ name }) => name)),
    (found) => found.sort().join() === wanted.join(),
    60,
  );
  for (const name of wanted)
    await waitFor(
      `${name} to decide`,
      () =>
        host(name)
          .rest.send('PATCH', '/1.0', { config: { 'user.asked': name } })
          .catch(() => undefined),
      (answer) => answer?.status === 200,
    );
}

const written = async (asked: Host): Promise<unknown> =>
  ((await asked.rest.must('GET', '/1.0/profiles/kept')).metadata as { description: string }).description;
/** Who did not make a change itself hears of it a moment later. */
const untilWritten = (asked: Host, text: string): Promise<unknown> =>
  waitFor(
    `"${text}" at ${asked.name}`,
    () => written(asked).catch(String),
    (found) => found === text,
  );

beforeAll(async () => {
  dir = makeTemporary('voters');
  ip('link', 'add', hub, 'type', 'bridge');
  ip('link', 'set', hub, 'up');
  hosts = [1, 2, 3, 4, 5].map((n) => new Host(hub, `m${n}`, join(dir, `m${n}`), `10.236.0.${n}`));
  for (const one of hosts) await one.plugIn();
  const [first, ...others] = hosts;
  if (!first) throw new Error('no hosts');
  const late = ['--replace-voter-after', replaceAfterSeconds, '--offline-threshold', '3'];
  first.start('--cluster-address', first.address, ...late);
  const ready = (one: Host) =>
    waitFor(
      `${one.name} to be ready`,
      () => one.rest.send('GET', '/internal/ready').catch(() => undefined),
      (answer) => answer?.status === 200,
      60,
    );
  await ready(first);
  await first.rest.must('POST', '/1.0/profiles', { name: 'kept', description: 'from the first', config: {} });
  for (const one of others) {
    const { metadata } = await first.rest.send('POST', '/1.0/cluster/members', { server_name: one.name });
    const { secret, fingerprint, addresses } = (
      metadata as { metadata: { secret: string; fingerprint: string; addresses: string[] } }
    ).metadata;
    const token = { server_name: one.name, secret, fingerprint, addresses, expires_at: '' };
    one.join(encodeJoinToken(token), ...late);
    await ready(one);
  }
});

afterAll(async () => {
  await Promise.all(hosts.map((one) => one.tearDown()));
  ip('link', 'delete', hub);
  rmSync(dir, { recursive: true, force: true });
});

test('one became three', () => votes('m1', 'm2', 'm3'));

test('they move to failure domains that come later', async () => {
  const { rest } = host('m1');
  for (const [name, domain] of [
    ['m1', 'west'],
    ['m2', 'west'],
    ['m3', 'west'],
    ['m4', 'east'],
    ['m5', 'north'],
  ]) {
    await rest.must('PATCH', `/1.0/cluster/members/${name}`, { failure_domain: domain });
  }
  await votes('m1', 'm4', 'm5');
  await untilWritten(host('m4'), 'from the first');
});

test('five are had for the asking', async () => {
  await host('m5').rest.must('PATCH', '/1.0', { config: { 'cluster.max_voters': '5' } });
  await votes('m1', 'm2', 'm3', 'm4', 'm5');
});

test('two of five die at once, and the rest decides', async () => {
  for (const name of ['m2', 'm3']) {
    const one = host(name);
    await one.end('SIGKILL');
    one.killEtcd();
  }
  const change = { description: 'with two dead', config: {}, devices: {} };
  await waitFor(
    'a change',
    () =>
      host('m4')
        .rest.send('PUT', '/1.0/profiles/kept', change)
        .catch(() => undefined),
    (answer) => answer?.status === 200,
  );
  for (const name of ['m1', 'm4', 'm5']) await untilWritten(host(name), 'with two dead');
  for (const name of ['m2', 'm3']) host(name).start('--replace-voter-after', replaceAfterSeconds);
  await votes('m1', 'm2', 'm3', 'm4', 'm5');
  for (const { name } of hosts) await untilWritten(host(name), 'with two dead');
});

test('five become three again, one in each failure domain', async () => {
  await host('m1').rest.must('PATCH', '/1.0', { config: { 'cluster.max_voters': '3' } });
  await waitFor(
    'three votes',
    async () => (await members(host('m4')).catch(() => [])).filter(({ database }) => database),
    (found) => found.length === 3 && found.some((one) => one.server_name === 'm4'),
    60,
  );
  const voters = (await members(host('m4'))).filter(({ database }) => database);
  expect(voters.filter((one) => ['m1', 'm2', 'm3'].includes(one.server_name))).toHaveLength(1);
});

test('a voter that stays dead is replaced', async () => {
  const dead = host('m5');
  await dead.end('SIGKILL');
  dead.killEtcd();
  const voters = async (): Promise<string[]> =>
    (await members(host('m4')).catch(() => []))
      .filter(({ database }) => database)
      .map((one) => one.server_name);
  const now = await waitFor(
    'another voter',
    voters,
    (found) => found.length === 3 && !found.includes('m5'),
    90,
  );
  await host('m4').rest.must('DELETE', '/1.0/cluster/members/m5?force=1');
  expect(now).toContain('m4');
  for (const name of now) await untilWritten(host(name), 'with two dead');
});

test('members that leave give up their votes, down to one', async () => {
  const gone: string[] = [];
  const left = ['m4', 'm3', 'm2', 'm1'];
  // The leader is the last to give up its vote: it is asked who that is by being removed last.
  for (const name of left) {
    const asked = left.find((one) => one !== name && !gone.includes(one));
    if (asked === undefined) break;
    const answer = await host(asked).rest.call('DELETE', `/1.0/cluster/members/${name}`);
    expect(answer.error).toBe('');
    gone.push(name);
  }
  // The others are alone by now, each with an etcd of its own.
  expect(await members(host('m1'))).toMatchObject([{ server_name: 'm1', database: true, status: 'Online' }]);
  await host('m1').rest.must('PATCH', '/1.0', { config: { 'user.asked': 'm1' } });
  await untilWritten(host('m1'), 'with two dead');
});
