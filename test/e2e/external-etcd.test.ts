import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, issue, type Authority } from '@lxd-ts/rpc';
import { freePort } from '../support/free-port.ts';
import { makeTemporary } from '../support/ground.ts';
import { HostDaemon } from '../support/host-daemon.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(120_000);

/** An etcd that others look after, on the loopback, that lets in whom its authority has certified. */
let dir: string;
let authority: Authority;
let etcd: ChildProcess | undefined;
let port: number;
let daemon: HostDaemon;

async function files(name: string, by: Authority, role: 'server' | 'member'): Promise<string[]> {
  const subject = { commonName: name, role, addresses: ['127.0.0.1'] };
  const { certificate, key } = await issue(by, subject, new Date(), 1);
  const at = join(dir, name);
  mkdirSync(at);
  writeFileSync(join(at, 'ca.crt'), by.certificate);
  writeFileSync(join(at, 'own.crt'), certificate);
  writeFileSync(join(at, 'own.key'), key, { mode: 0o600 });
  return ['ca.crt', 'own.crt', 'own.key'].map((file) => join(at, file));
}

async function startEtcd(): Promise<void> {
  const [ca = '', cert = '', key = ''] = ['ca.crt', 'own.crt', 'own.key'].map((file) =>
    join(dir, 'etcd-server', file),
  );
  const url = `https://127.0.0.1:${port}`;
  etcd = spawn(
    'etcd',
    [
      `--data-dir=${join(dir, 'data')}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=unix://localhost:${port}1`,
      `--cert-file=${cert}`,
      `--key-file=${key}`,
      `--trusted-ca-file=${ca}`,
      '--client-cert-auth',
    ],
    { cwd: dir, stdio: 'ignore' },
  );
  await waitFor(
    'etcd',
    () =>
      fetch(`http://127.0.0.1:${port}`).then(
        () => true,
        (error: unknown) => !String((error as Error).cause).includes('ECONNREFUSED'),
      ),
    (there) => there,
  );
}

async function endEtcd(): Promise<void> {
  if (etcd?.exitCode !== null) return;
  const gone = new Promise((done) => etcd?.once('exit', done));
  etcd.kill('SIGKILL');
  await gone;
}

const using = (...[ca = '', cert = '', key = '']: string[]) => [
  '--etcd-endpoints',
  `https://127.0.0.1:${port}`,
  ...['--etcd-ca', ca, '--etcd-cert', cert, '--etcd-key', key],
];

beforeAll(async () => {
  dir = makeTemporary('external-etcd');
  authority = await createAuthority(new Date());
  port = await freePort();
  await files('etcd-server', authority, 'server');
  await startEtcd();
  daemon = new HostDaemon(join(dir, 'one'), ...using(...(await files('client', authority, 'member'))));
});

afterAll(async () => {
  await daemon.end('SIGTERM');
  await endEtcd();
  rmSync(dir, { recursive: true, force: true });
});

test('a server keeps its records there, and starts no etcd of its own', async () => {
  await daemon.start();
  await daemon.rest.must('POST', '/1.0/profiles', { name: 'kept', description: 'there', config: {} });
  expect(existsSync(join(daemon.dir, 'etcd'))).toBe(false);
  await daemon.end('SIGKILL');
  await daemon.start();
  expect((await daemon.rest.must('GET', '/1.0/profiles/kept')).metadata).toMatchObject({
    description: 'there',
  });
});

test('it waits out a restart of that etcd', async () => {
  await endEtcd();
  await startEtcd();
  const change = { description: 'after', config: {}, devices: {} };
  await waitFor(
    'a change',
    () => daemon.rest.send('PUT', '/1.0/profiles/kept', change),
    ({ status }) => status === 200,
  );
  expect((await daemon.rest.must('GET', '/1.0/profiles/kept')).metadata).toMatchObject({
    description: 'after',
  });
});

test('without the right certificates, or where nobody listens, it says so and ends', async () => {
  const stranger = await createAuthority(new Date());
  const unknown = new HostDaemon(
    join(dir, 'two'),
    ...using(...(await files('stranger', stranger, 'member'))),
  );
  await expect(unknown.start()).rejects.toThrow(/etcd.*certificate/);
  const nobody = new HostDaemon(
    join(dir, 'three'),
    ...['--etcd-endpoints', `https://127.0.0.1:${await freePort()}`],
    ...['--etcd-ca', join(dir, 'client', 'ca.crt')],
  );
  await expect(nobody.start()).rejects.toThrow(/etcd.*(ECONNREFUSED|does not answer)/);
});
