import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { makeBusyboxImage } from '../support/busybox.ts';
import { run, type Result } from '../support/client.ts';
import { freePort } from '../support/free-port.ts';
import { makeTemporary } from '../support/ground.ts';
import { HostDaemon } from '../support/host-daemon.ts';

/** Who may use the API over the network: with the stock client, and with bare requests. */
let dir: string;
let daemon: HostDaemon;
let port: number;
let fingerprint: string;

interface Answer {
  status: number;
  error: string;
  metadata: unknown;
}

/** A user of the stock client, who has never used it before. */
function user(name: string): (...args: string[]) => Promise<Result> {
  const home = join(dir, name);
  mkdirSync(home, { recursive: true });
  return (...args) =>
    run(['lxc', ...args], { environment: { LXD_CONF: home, HOME: home, LXD_DIR: daemon.dir } });
}

function makeCertificate(name: string, days = 10): { cert: string; key: string } {
  const path = (end: string) => join(dir, `${name}.${end}`);
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1', '-nodes'],
      ...['-subj', `/CN=${name}`, '-days', String(days), '-keyout', path('key'), '-out', path('crt')],
    ],
    { stdio: 'ignore' },
  );
  return { cert: readFileSync(path('crt'), 'utf8'), key: readFileSync(path('key'), 'utf8') };
}

async function call(method: string, path: string, body?: unknown, tls: RequestOptions = {}): Promise<Answer> {
  const sent = httpsRequest({
    host: '127.0.0.1',
    port,
    method,
    path,
    rejectUnauthorized: false,
    agent: false,
    ...tls,
  });
  const answer = new Promise<Answer>((resolve, reject) => {
    sent.once('error', reject).once('response', (response) => {
      json(response).then(
        (value) => resolve({ ...(value as Answer), status: response.statusCode ?? 0 }),
        reject,
      );
    });
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  return answer;
}

const token = async (...args: string[]): Promise<string> => {
  const { stdout } = await user('admin')('config', 'trust', 'add', ...args, '--quiet');
  return stdout.trim().split('\n').at(-1) ?? '';
};

beforeAll(async () => {
  dir = makeTemporary('trust');
  daemon = new HostDaemon(join(dir, 'server'));
  await daemon.start();
  port = await freePort();
  const { rest } = daemon;
  await rest.must('PATCH', '/1.0', { config: { 'core.https_address': `127.0.0.1:${port}` } });
  await rest.must('POST', '/1.0/storage-pools', { name: 'p', driver: 'dir' });
  await rest.must('PUT', '/1.0/profiles/default', {
    devices: { root: { type: 'disk', path: '/', pool: 'p' } },
  });
  const image = readFileSync(makeBusyboxImage(join(dir, 'image')).unified);
  const uploaded = await rest.must('POST', '/1.0/images', image, {
    'Content-Type': 'application/octet-stream',
  });
  ({ fingerprint } = (uploaded.metadata as { metadata: { fingerprint: string } }).metadata);
  await rest.must('POST', '/1.0/images/aliases', { name: 'bb', target: fingerprint });
});

afterAll(async () => {
  const { rest } = daemon;
  for (const url of (await rest.must('GET', '/1.0/instances')).metadata as string[]) {
    await rest.call('PUT', `${url}/state`, { action: 'stop', force: true });
    await rest.must('DELETE', url);
  }
  for (const url of (await rest.must('GET', '/1.0/images')).metadata as string[])
    await rest.must('DELETE', url);
  await rest.must('PUT', '/1.0/profiles/default', { devices: {} });
  await rest.must('DELETE', '/1.0/storage-pools/p');
  await daemon.end('SIGTERM');
  rmSync(dir, { recursive: true });
});

test('the server says where it listens', async () => {
  const { metadata } = await daemon.rest.must('GET', '/1.0');
  expect(metadata).toMatchObject({
    config: { 'core.https_address': `127.0.0.1:${port}` },
    environment: { addresses: [`127.0.0.1:${port}`] },
  });
});

test('a stranger sees what is open to all, and nothing else', async () => {
  const { metadata } = await call('GET', '/1.0');
  expect(Object.keys(metadata as object).sort()).toEqual(
    ['api_extensions', 'api_status', 'api_version', 'auth', 'auth_methods', 'public'].sort(),
  );
  expect(metadata).toMatchObject({ auth: 'untrusted', public: false, auth_methods: ['tls'] });
  expect(await call('GET', '/')).toMatchObject({ status: 200, metadata: ['/1.0'] });
  expect(await call('GET', '/1.0/images')).toMatchObject({ status: 200, metadata: [] });
  expect((await call('GET', `/1.0/images/${fingerprint}`)).status).toBe(404);
  expect((await call('GET', '/1.0/images/aliases')).metadata).toEqual([]);
  for (const [method, path] of [
    ['GET', '/1.0/instances'],
    ['GET', '/1.0/certificates'],
    ['GET', '/1.0/operations'],
    ['PUT', '/1.0'],
    ['GET', '/internal/ready'],
    ['PUT', '/internal/shutdown'],
    ['POST', '/1.0/instances'],
  ] as const) {
    expect([method, path, await call(method, path, method === 'GET' ? undefined : {})]).toMatchObject([
      method,
      path,
      { status: 403, error: 'not authorized' },
    ]);
  }
  // A certificate that nobody knows changes nothing, and one cannot vouch for oneself.
  const stranger = makeCertificate('stranger');
  expect((await call('GET', '/1.0/instances', undefined, stranger)).status).toBe(403);
  const headers = {
    'x-lxd-ts-caller': JSON.stringify({ protocol: 'unix', username: 'root', trusted: true }),
  };
  expect((await call('GET', '/1.0/instances', undefined, { ...stranger, headers })).status).toBe(403);
  expect((await call('POST', '/1.0/certificates', { type: 'client', password: '' }, stranger)).status).toBe(
    403,
  );
});

test('public images are for all', async () => {
  await daemon.rest.must('PATCH', `/1.0/images/${fingerprint}`, { public: true });
  expect((await call('GET', `/1.0/images/${fingerprint}`)).metadata).toMatchObject({ fingerprint });
  expect((await call('GET', '/1.0/images')).metadata).toEqual([`/1.0/images/${fingerprint}`]);
  expect((await call('GET', '/1.0/images/aliases')).metadata).toEqual(['/1.0/images/aliases/bb']);
  await daemon.rest.must('PATCH', `/1.0/images/${fingerprint}`, { public: false });
  const { metadata } = await daemon.rest.send('POST', `/1.0/images/${fingerprint}/secret`);
  const { secret } = (metadata as { metadata: { secret: string } }).metadata;
  expect((await call('GET', `/1.0/images/${fingerprint}?secret=${secret}`)).status).toBe(200);
  expect((await call('GET', `/1.0/images/${fingerprint}?secret=${secret}0`)).status).toBe(404);
});

test('TLS 1.2 is refused', async () => {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
  await expect(
    new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject)),
  ).rejects.toThrow(/alert|version|protocol|ECONNRESET|disconnected/i);
});

test('a token lets one client in, once', async () => {
  const text = await token('--name', 'alice');
  const alice = user('alice');
  const address = `127.0.0.1:${port}`;
  expect(await alice('remote', 'add', 'srv', text)).toMatchObject({ code: 0 });
  expect((await alice('launch', 'srv:bb', 'srv:c1')).code).toBe(0);
  expect((await alice('exec', 'srv:c1', '--', 'hostname')).stdout).toBe('c1\n');
  expect((await alice('list', 'srv:', '--format', 'csv', '--columns', 'ns')).stdout).toBe('c1,RUNNING\n');
  const trusted = (await daemon.rest.must('GET', '/1.0/certificates?recursion=1')).metadata;
  expect(trusted).toMatchObject([{ name: 'alice', type: 'client', restricted: false, projects: [] }]);
  // Used up.
  const mallory = user('mallory');
  expect((await mallory('remote', 'add', 'srv', text)).code).not.toBe(0);
  const again = await call(
    'POST',
    '/1.0/certificates',
    { type: 'client', password: text },
    makeCertificate('m'),
  );
  expect(again).toMatchObject({ status: 403, error: 'not authorized' });
  expect(
    (await mallory('remote', 'add', 'srv', `https://${address}`, '--accept-certificate', '--password', 'x'))
      .code,
  ).not.toBe(0);
});

test('a token can be revoked, and ends by itself', async () => {
  const admin = user('admin');
  const revoked = await token('--name', 'bob');
  expect((await admin('config', 'trust', 'list-tokens', '--format', 'csv')).stdout).toContain('bob');
  expect((await admin('config', 'trust', 'revoke-token', 'bob')).code).toBe(0);
  expect((await admin('config', 'trust', 'list-tokens', '--format', 'csv')).stdout).toBe('');
  expect((await user('bob')('remote', 'add', 'srv', revoked)).code).not.toBe(0);

  await daemon.rest.must('PATCH', '/1.0', { config: { 'core.remote_token_expiry': '0M' } });
  const expired = await token('--name', 'carol');
  await daemon.rest.must('PATCH', '/1.0', { config: { 'core.remote_token_expiry': '' } });
  expect((await user('carol')('remote', 'add', 'srv', expired)).code).not.toBe(0);
  expect((await daemon.rest.must('GET', '/1.0/certificates')).metadata).toHaveLength(1);
});

test('a token ends with the daemon that showed it, as nobody could revoke it any more', async () => {
  const orphan = await token('--name', 'grace');
  await daemon.end('SIGKILL');
  await daemon.start();
  expect((await user('grace')('remote', 'add', 'srv', orphan)).code).not.toBe(0);
  expect((await daemon.rest.must('GET', '/1.0/certificates')).metadata).toHaveLength(1);
});

test('the trust password lets in who knows it, and is told to nobody', async () => {
  await daemon.rest.must('PATCH', '/1.0', { config: { 'core.trust_password': 'correct horse' } });
  const address = `https://127.0.0.1:${port}`;
  const dave = user('dave');
  const add = (password: string) =>
    dave('remote', 'add', 'srv', address, '--accept-certificate', '--password', password);
  expect((await add('wrong')).code).not.toBe(0);
  expect(await add('correct horse')).toMatchObject({ code: 0 });
  const shown = await dave('config', 'show', 'srv:');
  expect(shown.stdout).toContain('core.trust_password: true');
  expect(readFileSync(`${daemon.dir}.log`, 'utf8')).not.toContain('correct horse');
  // What is shown can be given back.
  const { metadata } = await daemon.rest.must('GET', '/1.0');
  await daemon.rest.must('PUT', '/1.0', { config: (metadata as { config: object }).config });
  expect(
    (
      await user('erin')(
        'remote',
        'add',
        'srv',
        address,
        '--accept-certificate',
        '--password',
        'correct horse',
      )
    ).code,
  ).toBe(0);
  await daemon.rest.must('PATCH', '/1.0', { config: { 'core.trust_password': '' } });
  expect(
    (
      await user('frank')(
        'remote',
        'add',
        'srv',
        address,
        '--accept-certificate',
        '--password',
        'correct horse',
      )
    ).code,
  ).not.toBe(0);
});

test('who guesses is not listened to any more', async () => {
  await daemon.rest.must('PATCH', '/1.0', { config: { 'core.trust_password': 'secret' } });
  const guesser = makeCertificate('guesser');
  const guess = (password: string) =>
    call('POST', '/1.0/certificates', { type: 'client', password }, guesser);
  for (let i = 0; i < 10; i++) expect((await guess(`guess ${i}`)).status).toBe(403);
  expect((await guess('secret')).status).toBe(403);
  await daemon.rest.must('PATCH', '/1.0', { config: { 'core.trust_password': '' } });
});

test('a restricted certificate is kept to its projects', async () => {
  const restricted = makeCertificate('restricted');
  const body = Buffer.from(restricted.cert.replace(/-----[^-]+-----|\s/g, ''), 'base64').toString('base64');
  await daemon.rest.must('POST', '/1.0/certificates', {
    type: 'client',
    name: 'restricted',
    certificate: body,
    restricted: true,
    projects: ['default'],
  });
  const as = (method: string, path: string, given?: unknown) => call(method, path, given, restricted);
  expect((await as('GET', '/1.0')).metadata).toMatchObject({ auth: 'trusted', config: null });
  expect((await as('GET', '/1.0/instances')).status).toBe(200);
  expect((await as('GET', '/1.0/storage-pools')).status).toBe(200);
  expect((await as('GET', '/1.0/profiles')).status).toBe(200);
  for (const [method, path, given] of [
    ['GET', '/1.0/instances?project=other'],
    ['GET', '/1.0/warnings'],
    ['PUT', '/1.0', { config: {} }],
    ['POST', '/1.0/storage-pools', { name: 'x', driver: 'dir' }],
    ['POST', '/1.0/certificates', { type: 'client', token: true, name: 'x' }],
    ['PUT', '/internal/shutdown'],
  ] as const) {
    expect([path, (await as(method, path, given)).status]).toEqual([path, 403]);
  }
  const found = (await daemon.rest.must('GET', '/1.0/certificates?recursion=1')).metadata as {
    name: string;
    fingerprint: string;
  }[];
  const id = found.find(({ name }) => name === 'restricted')?.fingerprint ?? '';
  await daemon.rest.must('DELETE', `/1.0/certificates/${id.slice(0, 12)}`);
  // At once, also for who was connected.
  expect((await as('GET', '/1.0/instances')).status).toBe(403);
});

test('the address changes while clients are served, and one that cannot be had changes nothing', async () => {
  const other = await freePort();
  await daemon.rest.must('PATCH', '/1.0', { config: { 'core.https_address': `127.0.0.1:${other}` } });
  await expect(call('GET', '/1.0')).rejects.toThrow('ECONNREFUSED');
  port = other;
  expect((await call('GET', '/1.0')).status).toBe(200);
  const bad = await daemon.rest.call('PATCH', '/1.0', { config: { 'core.https_address': '192.0.2.1:8443' } });
  expect(bad.status).toBe(400);
  expect((await call('GET', '/1.0')).status).toBe(200);
  expect((await daemon.rest.must('GET', '/1.0')).metadata).toMatchObject({
    config: { 'core.https_address': `127.0.0.1:${other}` },
  });
});
