import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeBusyboxImage } from '../support/busybox.ts';
import { run, type Result } from '../support/client.ts';
import { startDaemon } from '../support/daemon.ts';
import { makeTemporary } from '../support/ground.ts';
import { referenceMissing, startReference } from '../support/reference.ts';
import type { TestServer } from '../support/server.ts';
import { makeUnderlay, type Underlay } from '../support/underlay.ts';

jest.setTimeout(240_000);

/** Images between servers, by the stock client: two of ours and a real LXD, each in a network of its own. */
const missing = referenceMissing();
const withReference = missing ? test.skip : test;
if (missing) console.log(`skipped with a real LXD: ${missing}`);

let dir: string;
let underlay: Underlay;
const servers = new Map<string, TestServer>();

const server = (name: string): TestServer => {
  const found = servers.get(name);
  if (!found) throw new Error(`no server "${name}"`);
  return found;
};

/** The client runs where it can reach all of them. */
const lxc = (...args: string[]): Promise<Result> => {
  const home = join(dir, 'home');
  mkdirSync(home, { recursive: true });
  return run(['nsenter', '-t', String(server('one').pid), '-n', '--', 'lxc', ...args], {
    environment: { LXD_CONF: home, HOME: home, LXD_DIR: server('one').dir },
  });
};
const must = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await lxc(...args);
  if (code !== 0) throw new Error(`lxc ${args.join(' ')}: ${stderr || stdout}`);
  return stdout;
};

async function add(name: string, started: TestServer, number: number): Promise<void> {
  servers.set(name, started);
  const { rest } = started;
  const address = `${underlay.attach(started, number)}:8443`;
  await rest.must('PATCH', '/1.0', { config: { 'core.https_address': address } });
  await rest.must('POST', '/1.0/storage-pools', { name: 'default', driver: 'dir' });
  await rest.must('PUT', '/1.0/profiles/default', {
    devices: { root: { type: 'disk', path: '/', pool: 'default' } },
  });
  const { metadata } = await rest.send('POST', '/1.0/certificates', {
    type: 'client',
    token: true,
    name: 'me',
  });
  const { fingerprint, addresses, secret } = (
    metadata as { metadata: { fingerprint: string; addresses: string[]; secret: string } }
  ).metadata;
  const token = { client_name: 'me', fingerprint, addresses, secret, expires_at: '0001-01-01T00:00:00Z' };
  await must('remote', 'add', name, Buffer.from(JSON.stringify(token)).toString('base64'));
}

const fingerprints = async (name: string): Promise<string[]> =>
  ((await server(name).rest.must('GET', '/1.0/images')).metadata as string[]).map((url) => url.slice(-64));

async function clear(name: string): Promise<void> {
  const { rest } = server(name);
  for (const url of (await rest.must('GET', '/1.0/instances')).metadata as string[]) {
    await rest.call('PUT', `${url}/state`, { action: 'stop', force: true });
    await rest.must('DELETE', url);
  }
  for (const url of (await rest.must('GET', '/1.0/images')).metadata as string[])
    await rest.must('DELETE', url);
}

beforeAll(async () => {
  dir = makeTemporary('image-copy');
  underlay = await makeUnderlay();
  servers.set('one', await startDaemon(join(dir, 'one')));
  await add('one', server('one'), 1);
  await add('two', await startDaemon(join(dir, 'two')), 2);
  if (!missing) await add('ref', await startReference(join(dir, 'ref')), 3);
});

afterAll(async () => {
  const left: string[] = [];
  for (const one of servers.values()) left.push(...(await one.stopAll()));
  underlay[Symbol.dispose]();
  rmSync(dir, { recursive: true, force: true });
  expect(left).toEqual([]);
});

/** Copies with its alias, launches from afar, and finds that nothing is fetched twice. */
async function copies(from: string, to: string): Promise<void> {
  const { unified } = makeBusyboxImage(join(dir, `image-${from}-${to}`));
  await must('image', 'import', unified, `${from}:`, '--alias', 'bb');
  const [fingerprint = ''] = await fingerprints(from);
  await must('image', 'copy', `${from}:bb`, `${to}:`, '--alias', 'copied');
  expect(await fingerprints(to)).toEqual([fingerprint]);
  expect(await must('image', 'info', `${to}:copied`)).toContain(`Fingerprint: ${fingerprint}`);
  const again = await lxc('image', 'copy', `${from}:bb`, `${to}:`);
  expect(again.code === 0 || again.stderr.includes('already exists')).toBe(true);
  await must('image', 'delete', `${to}:copied`);

  await must('launch', `${from}:bb`, `${to}:c1`);
  expect(await must('exec', `${to}:c1`, '--', 'hostname')).toBe('c1\n');
  expect(await fingerprints(to)).toEqual([fingerprint]);
  await clear(from);
  await clear(to);
}

test('between two of ours', async () => {
  await copies('one', 'two');
});

withReference('from a real LXD', async () => {
  await copies('ref', 'one');
});

withReference('to a real LXD', async () => {
  await copies('one', 'ref');
});

test('relayed by the client', async () => {
  const { unified } = makeBusyboxImage(join(dir, 'image-relay'));
  await must('image', 'import', unified, 'one:', '--alias', 'bb');
  await must('image', 'copy', 'one:bb', 'two:', '--mode', 'relay');
  expect(await fingerprints('two')).toEqual(await fingerprints('one'));
  await clear('one');
  await clear('two');
});

test('many who ask at once have it fetched once', async () => {
  const { unified } = makeBusyboxImage(join(dir, 'image-many'));
  await must('image', 'import', unified, 'one:', '--alias', 'bb');
  const names = Array.from({ length: 6 }, (_, i) => `m${i}`);
  await Promise.all(names.map((name) => must('init', 'one:bb', `two:${name}`)));
  const listed = (await server('two').rest.must('GET', '/1.0/instances')).metadata as string[];
  expect(listed).toHaveLength(names.length);
  expect(await fingerprints('two')).toHaveLength(1);
  await clear('one');
  await clear('two');
});

test('what cannot be had changes nothing', async () => {
  const { rest } = server('two');
  const { metadata } = await server('one').rest.must('GET', '/1.0');
  const { addresses, certificate } = (
    metadata as { environment: { addresses: string[]; certificate: string } }
  ).environment;
  const pull = (source: object) =>
    rest.call('POST', '/1.0/images', { source: { type: 'image', mode: 'pull', ...source } });
  const here = `https://${addresses[0] ?? ''}`;
  const fingerprint = 'f'.repeat(64);
  expect((await pull({ server: here, certificate, fingerprint })).error).toContain('Image not found');
  expect((await pull({ server: here, certificate, alias: 'none' })).error).toContain('not found');
  expect((await pull({ server: 'http://x', fingerprint })).error).toContain('"server" must be https://');
  expect((await pull({ server: here, certificate: 'x', fingerprint })).error).toContain('"certificate"');
  expect((await pull({ server: here, certificate, protocol: 'magic', fingerprint })).error).toContain(
    'protocol',
  );
  const own = ((await rest.must('GET', '/1.0')).metadata as { environment: { certificate: string } })
    .environment;
  expect((await pull({ server: here, certificate: own.certificate, fingerprint })).error).toContain(
    'another certificate',
  );
  expect(await fingerprints('two')).toEqual([]);
});
