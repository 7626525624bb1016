import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeJoinToken } from '@lxd-ts/rpc';
import { makeBusyboxImage } from '../support/busybox.ts';
import { makeTemporary } from '../support/ground.ts';
import { Host, ip } from '../support/host.ts';
import { RestlessClient } from '../support/restless-client.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(240_000);

/** A control plane of three on three machines, that loses one after the other while a client goes on. */
const hub = 'lxtcp';
let dir: string;
let hosts: Host[];

const host = (index: number): Host => {
  const found = hosts[index];
  if (!found) throw new Error(`no host ${index}`);
  return found;
};
const ready = (one: Host) =>
  waitFor(
    `${one.name} to be ready`,
    () => one.rest.send('GET', '/internal/ready').catch(() => undefined),
    (answer) => answer?.status === 200,
    60,
  );

interface Member {
  server_name: string;
  database: boolean;
  status: string;
}
const members = async (asked: Host): Promise<Member[]> =>
  (await asked.rest.must('GET', '/1.0/cluster/members?recursion=1')).metadata as Member[];
/** All three have a vote and are there, as this one sees it. */
const whole = (asked: Host) =>
  waitFor(
    `a control plane of three at ${asked.name}`,
    () => members(asked).catch(String),
    (all) =>
      typeof all !== 'string' &&
      all.length === 3 &&
      all.every(({ database, status }) => database && status === 'Online'),
    90,
  );
const names = async (asked: Host): Promise<string[]> =>
  ((await asked.rest.must('GET', '/1.0/instances')).metadata as string[])
    .map((url) => url.split('/').at(-1) ?? '')
    .sort();

beforeAll(async () => {
  dir = makeTemporary('control-plane');
  ip('link', 'add', hub, 'type', 'bridge');
  ip('link', 'set', hub, 'up');
  hosts = [1, 2, 3].map((n) => new Host(hub, `m${n}`, join(dir, `m${n}`), `10.235.0.${n}`));
  for (const one of hosts) await one.plugIn();
  host(0).start('--cluster-address', host(0).address);
  await ready(host(0));
  for (const one of hosts.slice(1)) {
    const { metadata } = await host(0).rest.send('POST', '/1.0/cluster/members', { server_name: one.name });
    const { secret, fingerprint, addresses } = (
      metadata as { metadata: { secret: string; fingerprint: string; addresses: string[] } }
    ).metadata;
    one.join(encodeJoinToken({ server_name: one.name, secret, fingerprint, addresses, expires_at: '' }));
    await ready(one);
  }
  // On its way up, of which nobody may notice anything.
  const rising = host(2);
  await waitFor('an etcd of the third member', () => Promise.resolve(rising.etcd), Boolean, 60);
  rising.killEtcd();
  for (const one of hosts) await whole(one);
  await host(0).rest.must('POST', '/1.0/storage-pools', { name: 'p', driver: 'dir' });
  await host(0).rest.must('PUT', '/1.0/profiles/default', {
    devices: { root: { type: 'disk', path: '/', pool: 'p' } },
  });
});

afterAll(async () => {
  const [first] = hosts;
  if (first) {
    for (const name of await names(first)) await first.rest.call('DELETE', `/1.0/instances/${name}`);
    await first.rest.must('PUT', '/1.0/profiles/default', { devices: {} });
    await first.rest.must('DELETE', '/1.0/storage-pools/p');
  }
  await Promise.all(hosts.map((one) => one.tearDown()));
  ip('link', 'delete', hub);
  rmSync(dir, { recursive: true, force: true });
});

test('any of them answers, and all say the same', async () => {
  for (const one of hosts) {
    await one.rest.must('POST', '/1.0/instances', { name: `by-${one.name}`, source: { type: 'none' } });
  }
  for (const one of hosts) expect(await names(one)).toEqual(['by-m1', 'by-m2', 'by-m3']);
});

test('an operation is waited for at any member', async () => {
  const { metadata } = await host(1).rest.send('POST', '/1.0/certificates', { type: 'client', token: true });
  const { id } = metadata as { id: string };
  for (const one of hosts) {
    expect((await one.rest.must('GET', `/1.0/operations/${id}`)).metadata).toMatchObject({
      id,
      status: 'Running',
    });
    const { metadata: all } = await one.rest.must('GET', '/1.0/operations?recursion=1');
    expect(JSON.stringify(all)).toContain(id);
  }
  await host(2).rest.must('DELETE', `/1.0/operations/${id}`);
});

test('what lets another server have an image is good at any member, and ends with its operation', async () => {
  const image = readFileSync(makeBusyboxImage(join(dir, 'image')).unified);
  const type = { 'Content-Type': 'application/octet-stream' };
  const uploaded = await host(0).rest.must('POST', '/1.0/images', image, type);
  const { fingerprint } = (uploaded.metadata as { metadata: { fingerprint: string } }).metadata;
  const { metadata } = await host(1).rest.send('POST', `/1.0/images/${fingerprint}/secret`);
  const { id, metadata: shown } = metadata as { id: string; metadata: { secret: string } };
  /** As somebody who is not trusted. */
  const statusAt = async (one: Host, secret: string): Promise<string> => {
    const url = `https://${one.address}/1.0/images/${fingerprint}?secret=${secret}`;
    const ask = `require('https').get(process.argv[1], { rejectUnauthorized: false }, (r) => { console.log(r.statusCode); r.destroy(); })`;
    return (await one.inside([process.execPath, '-e', ask, url])).stdout.trim();
  };
  for (const one of hosts) {
    expect(await statusAt(one, shown.secret)).toBe('200');
    expect(await statusAt(one, shown.secret.replace(/./, 'x'))).toBe('404');
  }
  await host(2).rest.must('DELETE', `/1.0/operations/${id}`);
  for (const one of hosts)
    await waitFor(
      'the end of the secret',
      () => statusAt(one, shown.secret),
      (status) => status === '404',
    );
  await host(0).rest.must('DELETE', `/1.0/images/${fingerprint}`);
});

/** While the client works, something is killed; afterwards what it was told is so, on every member. */
async function survives(kill: () => Promise<void>, what: string): Promise<void> {
  const client = new RestlessClient(hosts, false);
  const before = await names(host(0));
  client.run();
  await sleep(500);
  await kill();
  await sleep(4_000);
  await client.stop();
  for (const one of hosts) await whole(one);
  expect(client.made.size).toBeGreaterThan(5);
  console.log(
    `${what}: ${client.made.size} instances made, longest ${Math.round(client.longestGapMs)} ms without an answer`,
  );
  // What was left half done is finished or taken back.
  const settled = async (): Promise<boolean> => {
    const all = (await host(0).rest.must('GET', '/1.0/instances?recursion=1')).metadata as { name: string }[];
    const now = all.map(({ name }) => name);
    return [...client.made.keys(), ...before].every((name) => now.includes(name));
  };
  await waitFor('every acknowledged instance', settled, (is) => is, 30);
  // What nobody was told the end of may still be under way.
  const atRest = async (): Promise<boolean> => {
    const all = await Promise.all(
      hosts.map(async (one) => {
        const operations = (await one.rest.must('GET', '/1.0/operations')).metadata as { running?: string[] };
        const instances = (await one.rest.must('GET', '/1.0/instances?recursion=1')).metadata;
        return [operations.running?.length ?? 0, JSON.stringify(instances)] as const;
      }),
    );
    return all.every(([running, instances]) => running === 0 && instances === all[0]?.[1]);
  };
  await waitFor('the same everywhere', atRest, (is) => is, 60);
  const seen = await names(host(0));
  const allowed = new Set([...before, ...client.made.keys(), ...client.unsure]);
  expect(seen.filter((name) => !allowed.has(name))).toEqual([]);
  await waitFor(
    'an end of all of them',
    async () => {
      for (const name of await names(host(1))) await host(1).rest.call('DELETE', `/1.0/instances/${name}`);
      return names(host(1));
    },
    (left) => left.length === 0,
    60,
  );
}

test.each([0, 1, 2])('the etcd of member %i is killed', async (index) => {
  await survives(
    async () => {
      host(index).killEtcd();
      await Promise.resolve();
    },
    `etcd of m${index + 1} killed`,
  );
});

test.each([0, 1, 2])('the daemon of member %i is killed, and starts again', async (index) => {
  await survives(
    async () => {
      await host(index).end('SIGKILL');
      host(index).start();
      await ready(host(index));
    },
    `daemon of m${index + 1} killed`,
  );
});

test('a member with all that runs there is gone for a while', async () => {
  await survives(async () => {
    const gone = host(0);
    await gone.end('SIGKILL');
    gone.killEtcd();
    await sleep(2_000);
    gone.start();
    await ready(gone);
  }, 'm1 and its etcd killed');
});
