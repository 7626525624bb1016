import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeBusyboxImage } from '../support/busybox.ts';
import { startDaemon } from '../support/daemon.ts';
import { makeTemporary } from '../support/ground.ts';
import { startMigration, type Host, type Migration } from '../support/migrate.ts';
import { referenceMissing, startReference } from '../support/reference.ts';
import type { OperationView } from '../support/rest.ts';
import type { TestServer } from '../support/server.ts';
import { makeUnderlay, type Underlay } from '../support/underlay.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(240_000);

const missing = referenceMissing();
const withReference = missing ? test.skip : test;

let dir: string;
let underlay: Underlay;
const hosts: Record<'one' | 'two' | 'ref', Host | undefined> = {
  one: undefined,
  two: undefined,
  ref: undefined,
};

const host = (name: keyof typeof hosts): Host => {
  const found = hosts[name];
  if (!found) throw new Error(`no host "${name}"`);
  return found;
};

/** Two pools of different kinds, the first one by default. */
async function setUp({ rest }: TestServer, image: string): Promise<void> {
  await rest.must('POST', '/1.0/storage-pools', {
    name: 'default',
    driver: 'btrfs',
    config: { size: '1GiB' },
  });
  await rest.must('POST', '/1.0/storage-pools', { name: 'files', driver: 'dir' });
  await rest.must('PUT', '/1.0/profiles/default', {
    devices: { root: { type: 'disk', path: '/', pool: 'default' } },
  });
  const { readFileSync } = await import('node:fs');
  await rest.must('POST', '/1.0/images', readFileSync(image));
}

const volume = ({ dir: of }: TestServer, pool: string, name: string): string =>
  join(of, 'storage-pools', pool, 'containers', name);

/** Where the server lives. */
const shell = ({ inside }: TestServer, script: string, ...args: string[]): string =>
  inside(['sh', '-ec', script, 'sh', ...args]);

/** A line per file with all that a copy keeps, over rsync as the peers call it too: no hard links. */
const listing = (server: TestServer, pool: string, name: string): string =>
  shell(
    server,
    `cd "$1/rootfs"
    find . -printf '%p %y %U:%G %m %Ts %l\\n' | sort
    find . -type f -exec sha256sum {} + | sort`,
    volume(server, pool, name),
  );

const megabytes = 24;

/** An instance with more in its files than busybox. */
async function make({ server }: Host, name: string, pool: string): Promise<void> {
  const { metadata } = await server.rest.must('GET', '/1.0/images');
  const fingerprint = String((metadata as string[])[0])
    .split('/')
    .pop();
  await server.rest.must('POST', '/1.0/instances', {
    name,
    source: { type: 'image', fingerprint },
    devices: { root: { type: 'disk', path: '/', pool } },
    config: { 'user.colour': 'blue' },
  });
  shell(
    server,
    `cd "$1/rootfs"
    head -c ${megabytes}M /dev/urandom >var/large
    truncate -s 32M var/sparse
    echo x >'etc/of others'; chown 1000:2000 'etc/of others'
    echo x >etc/setuid; chmod 4755 etc/setuid
    mkfifo var/fifo; mknod var/null c 1 3; ln -s nowhere etc/dangling`,
    volume(server, pool, name),
  );
}

const names = async ({ server }: Host): Promise<string[]> =>
  (((await server.rest.must('GET', '/1.0/instances')).metadata ?? []) as string[])
    .map((path) => String(path.split('/').pop()))
    .sort();

const remove = async ({ server }: Host, ...gone: string[]): Promise<void> => {
  for (const name of gone) await server.rest.call('DELETE', `/1.0/instances/${name}`);
};

/** Whatever a test that failed left is not in the way of the next. */
async function clear(): Promise<void> {
  for (const one of Object.values(hosts)) {
    if (!one) continue;
    for (const name of (await names(one)).filter((left) => !left.startsWith('slow'))) {
      await one.server.rest.call('PUT', `/1.0/instances/${name}/state`, { action: 'stop', force: true });
      await remove(one, name);
    }
  }
}

/** What is in the pools beside whole instances. */
const partials = ({ server }: Host): string =>
  shell(server, 'find "$1"/storage-pools -mindepth 3 -maxdepth 3 -name ".*"', server.dir);

/** Runs to its end; fails unless both sides succeed. */
async function migrate(migration: Migration): Promise<void> {
  const { source, sink } = await (await startMigration(migration)).ended;
  expect([source.err, source.status, sink.err, sink.status]).toEqual(['', 'Success', '', 'Success']);
}

const operation = async ({ server }: Host, { id }: OperationView): Promise<OperationView> =>
  (await server.rest.send('GET', `/1.0/operations/${id}`)).metadata as OperationView;

/** Until some of it has come: it is under way. */
const underWay = (where: Host, of: OperationView): Promise<unknown> =>
  waitFor(
    'progress',
    () => operation(where, of),
    ({ metadata }) => typeof metadata?.['fs_progress'] === 'string',
  );

beforeAll(async () => {
  dir = makeTemporary('migration-e2e');
  const { unified } = makeBusyboxImage(join(dir, 'image'));
  underlay = await makeUnderlay();
  const one = await startDaemon(join(dir, 'one'));
  hosts.one = { server: one };
  hosts.two = { server: await startDaemon(join(dir, 'two')) };
  underlay.attach(one, 1);
  if (!missing) {
    const server = await startReference(join(dir, 'ref'));
    hosts.ref = { server };
    const address = `${underlay.attach(server, 3)}:8443`;
    await server.rest.must('PATCH', '/1.0', { config: { 'core.https_address': address } });
    const { metadata } = await server.rest.must('GET', '/1.0');
    const { certificate } = (metadata as { environment: { certificate: string } }).environment;
    hosts.ref = { server, address, certificate };
  }
  for (const one of Object.values(hosts)) if (one) await setUp(one.server, unified);
});

afterAll(async () => {
  const left: string[] = [];
  for (const one of Object.values(hosts)) if (one) left.push(...(await one.server.stopAll()));
  underlay[Symbol.dispose]();
  rmSync(dir, { recursive: true, force: true });
  expect(left).toEqual([]);
});

afterEach(clear);

describe('between two of our own', () => {
  test.each([
    ['default', 'default'],
    ['default', 'files'],
    ['files', 'default'],
    ['files', 'files'],
  ])('from %s to %s: the same files, and it starts', async (from, to) => {
    const [one, two] = [host('one'), host('two')];
    await make(one, 'c1', from);
    const before = listing(one.server, from, 'c1');
    await migrate({ mode: 'relay', from: [one, 'c1'], to: [two, 'c2'], pool: to });
    expect(listing(two.server, to, 'c2')).toBe(before);
    expect(listing(one.server, from, 'c1')).toBe(before);
    const { metadata } = await two.server.rest.must('GET', '/1.0/instances/c2');
    expect(metadata).toMatchObject({
      config: { 'user.colour': 'blue', 'volatile.last_state.idmap': '[]' },
      status: 'Stopped',
    });
    await two.server.rest.must('PUT', '/1.0/instances/c2/state', { action: 'start' });
    await two.server.rest.must('PUT', '/1.0/instances/c2/state', { action: 'stop', force: true });
    expect([partials(one), partials(two)]).toEqual(['', '']);
  });

  test('one that runs is copied as it is, and goes on running', async () => {
    const [one, two] = [host('one'), host('two')];
    await make(one, 'c1', 'files');
    await one.server.rest.must('PUT', '/1.0/instances/c1/state', { action: 'start' });
    await migrate({ mode: 'relay', from: [one, 'c1'], to: [two, 'c2'], pool: 'files' });
    const { metadata } = await one.server.rest.must('GET', '/1.0/instances/c1/state');
    expect(metadata).toMatchObject({ status: 'Running' });
    const refused = await one.server.rest.send('POST', '/1.0/instances/c1', {
      name: 'c1',
      migration: true,
      live: true,
    });
    expect(refused).toMatchObject({ type: 'error', error: expect.stringContaining('--stateless') as string });
    await one.server.rest.must('PUT', '/1.0/instances/c1/state', { action: 'stop', force: true });
  });

  describe('slowly', () => {
    beforeAll(async () => {
      await make(host('one'), 'slow', 'files');
      await make(host('one'), 'slow-btrfs', 'default');
    });
    beforeEach(async () => {
      const limit = { config: { 'rsync.bwlimit': '1MiB' } };
      for (const pool of ['files', 'default'])
        await host('one').server.rest.must('PATCH', `/1.0/storage-pools/${pool}`, limit);
    });
    afterEach(async () => {
      const none = { config: { 'rsync.bwlimit': '' } };
      for (const pool of ['files', 'default'])
        await host('one').server.rest.must('PATCH', `/1.0/storage-pools/${pool}`, none);
    });
    afterAll(async () => {
      await remove(host('one'), 'slow', 'slow-btrfs');
    });

    test.each([
      ['slow', 'files', 'sink'],
      ['slow', 'files', 'source'],
      ['slow-btrfs', 'default', 'sink'],
      ['slow-btrfs', 'default', 'source'],
    ] as const)(
      '%s in %s, given up at the %s: nothing is left, the source is whole',
      async (name, pool, side) => {
        const [one, two] = [host('one'), host('two')];
        const before = listing(one.server, pool, name);
        const migrating = await startMigration({ mode: 'relay', from: [one, name], to: [two, 'c2'], pool });
        const where = side === 'sink' ? two : one;
        await underWay(where, migrating[side]);
        await where.server.rest.must('DELETE', `/1.0/operations/${migrating[side].id}`);
        const ended = await migrating.ended;
        expect(ended[side].status).toBe('Cancelled');
        expect(ended[side === 'sink' ? 'source' : 'sink'].status).toBe('Failure');
        expect(await names(two)).toEqual([]);
        expect([partials(one), partials(two)]).toEqual(['', '']);
        expect(listing(one.server, pool, name)).toBe(before);
      },
    );

    test.each(['slow', 'slow-btrfs'])(
      'the sink is killed in the middle of %s: it is not there when it is back',
      async (name) => {
        const [one, two] = [host('one'), host('two')];
        const pool = name === 'slow' ? 'files' : 'default';
        const before = listing(one.server, pool, name);
        const migrating = await startMigration({ mode: 'relay', from: [one, name], to: [two, 'c2'], pool });
        await underWay(two, migrating.sink);
        process.kill(two.server.pid, 'SIGKILL');
        const { source } = await migrating.ended;
        expect(source.status).toBe('Failure');
        hosts.two = { server: await startDaemon(join(dir, 'two')) };
        await waitFor(
          'recovery',
          () => names(host('two')),
          (all) => all.length === 0,
        );
        await waitFor(
          'a clean pool',
          () => Promise.resolve(partials(host('two'))),
          (text) => text === '',
        );
        expect(listing(one.server, pool, name)).toBe(before);
        expect(partials(one)).toBe('');
      },
    );

    test('the source is killed in the middle: the sink is without it, the source is whole when it is back', async () => {
      const [one, two] = [host('one'), host('two')];
      const before = listing(one.server, 'default', 'slow-btrfs');
      const migrating = await startMigration({ mode: 'relay', from: [one, 'slow-btrfs'], to: [two, 'c2'] });
      await underWay(two, migrating.sink);
      process.kill(one.server.pid, 'SIGKILL');
      const { sink } = await migrating.ended;
      expect(sink.status).toBe('Failure');
      expect(await names(two)).toEqual([]);
      expect(partials(two)).toBe('');
      const server = await startDaemon(join(dir, 'one'));
      hosts.one = { server };
      underlay.attach(server, 4);
      await server.rest.must('GET', '/1.0/instances/slow-btrfs/state');
      await waitFor(
        'a clean pool',
        () => Promise.resolve(partials(host('one'))),
        (text) => text === '',
      );
      expect(listing(server, 'default', 'slow-btrfs')).toBe(before);
    });
  });

  test('a name that is taken is refused before anything is sent', async () => {
    const [one, two] = [host('one'), host('two')];
    for (const each of [one, two]) await make(each, 'c1', 'default');
    const { sink } = await startMigration({ mode: 'push', from: [one, 'c1'], to: [two, 'c1'] }).catch(
      (error: unknown) => ({ sink: error as Error }),
    );
    expect(sink).toMatchObject({ message: expect.stringContaining('operation') as string });
  });

  test('its sockets open for whoever has the secret, and for nobody else', async () => {
    const one = host('one');
    await make(one, 'c1', 'default');
    const answer = await one.server.rest.send('POST', '/1.0/instances/c1', { name: 'c1', migration: true });
    const { id, metadata } = answer.metadata as OperationView;
    expect(metadata).toEqual({
      control: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      fs: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    for (const secret of ['wrong', `${String(metadata?.['fs'])}0`, '__proto__']) {
      const tried = await one.server.rest.send('GET', `/1.0/operations/${id}/websocket?secret=${secret}`);
      expect(tried.status).toBe(403);
    }
    await one.server.rest.must('DELETE', `/1.0/operations/${id}`);
  });

  test.each([
    ['operation', { operation: 'http://10.99.0.3/1.0/operations/x', secrets: { control: 'a', fs: 'b' } }],
    ['operation', { operation: '', secrets: { control: 'a', fs: 'b' } }],
    ['secrets', { operation: 'https://10.99.0.3:8443/1.0/operations/x', secrets: { control: 'a' } }],
    [
      'certificate',
      {
        operation: 'https://10.99.0.3:8443/1.0/operations/x',
        secrets: { control: 'a', fs: 'b' },
        certificate: 'nonsense',
      },
    ],
  ])('a wrong "%s" is named', async (field, source) => {
    const answer = await host('one').server.rest.send('POST', '/1.0/instances', {
      name: 'c1',
      source: { type: 'migration', mode: 'pull', ...source },
    });
    expect(answer).toMatchObject({ status: 400, error: expect.stringContaining(`"${field}"`) as string });
    expect(await names(host('one'))).toEqual([]);
  });
});

describe('with a real LXD', () => {
  withReference.each([
    ['push', 'default', 'default'],
    ['push', 'default', 'files'],
    ['push', 'files', 'default'],
    ['relay', 'files', 'files'],
    ['relay', 'default', 'default'],
  ] as const)('to it, %s, from %s to %s: the same files, and it starts', async (mode, from, to) => {
    const [one, ref] = [host('one'), host('ref')];
    await make(one, 'c1', from);
    const before = listing(one.server, from, 'c1');
    await migrate({ mode, from: [one, 'c1'], to: [ref, 'c2'], pool: to });
    expect(listing(ref.server, to, 'c2')).toBe(before);
    await ref.server.rest.must('PUT', '/1.0/instances/c2/state', { action: 'start' });
    await ref.server.rest.must('PUT', '/1.0/instances/c2/state', { action: 'stop', force: true });
  });

  withReference.each([
    ['pull', 'default', 'default', 'stopped'],
    ['pull', 'default', 'files', 'stopped'],
    ['pull', 'files', 'default', 'running'],
    ['pull', 'default', 'default', 'running'],
    ['relay', 'files', 'files', 'stopped'],
  ] as const)(
    'from it, %s, from %s to %s, %s: the same files, and it starts',
    async (mode, from, to, state) => {
      const [one, ref] = [host('one'), host('ref')];
      await make(ref, 'c1', from);
      const before = listing(ref.server, from, 'c1');
      // It may keep the files with shifted ids from its first start on.
      if (state === 'running')
        await ref.server.rest.must('PUT', '/1.0/instances/c1/state', { action: 'start' });
      await migrate({ mode, from: [ref, 'c1'], to: [one, 'c2'], pool: to });
      // What its init does not touch.
      const files = (text: string) => text.split('\n').filter((line) => /\.\/(bin|var|etc)\//.test(line));
      if (state === 'stopped') expect(listing(one.server, to, 'c2')).toBe(before);
      else expect(files(listing(one.server, to, 'c2'))).toEqual(files(before));
      await one.server.rest.must('PUT', '/1.0/instances/c2/state', { action: 'start' });
      await one.server.rest.must('PUT', '/1.0/instances/c2/state', { action: 'stop', force: true });
      expect([await names(one), partials(one)]).toEqual([['c2'], '']);
      if (state === 'running')
        await ref.server.rest.must('PUT', '/1.0/instances/c1/state', { action: 'stop', force: true });
    },
  );

  withReference('another certificate than the one named: it is not spoken to, nothing is left', async () => {
    const [one, ref] = [host('one'), host('ref')];
    await make(ref, 'c1', 'default');
    const { metadata } = await one.server.rest.must('GET', '/1.0');
    const { certificate } = (metadata as { environment: { certificate: string } }).environment;
    const { sink } = await (
      await startMigration({
        mode: 'pull',
        from: [{ ...ref, certificate }, 'c1'],
        to: [one, 'c2'],
      })
    ).ended;
    expect(sink).toMatchObject({
      status: 'Failure',
      err: expect.stringContaining('another certificate') as string,
    });
    expect([await names(one), partials(one)]).toEqual([[], '']);
  });
});
