import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { Client } from './client.ts';
import type { TlsOptions } from './endpoint.ts';
import { certificateFingerprint, peekCertificate } from './tls.ts';
import { openWebSocket } from './websocket.ts';

let dir: string;
let server: Server;
let url: string;
let requests: number;
const pem = (name: string): string => readFileSync(join(dir, name), 'utf8');

function certify(name: string, ...more: string[]): void {
  const path = (end: string): string => join(dir, `${name}.${end}`);
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1', '-nodes', '-days', '2'],
      ...['-subj', `/CN=${name}`, '-keyout', path('key'), '-out', path('crt'), ...more],
    ],
    { stdio: 'ignore' },
  );
}

async function serve(name: string, options: object = {}): Promise<void> {
  server = createServer({ cert: pem(`${name}.crt`), key: pem(`${name}.key`), ...options }, (_, response) => {
    requests++;
    response.end(JSON.stringify({ type: 'sync', metadata: 'hello' }));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', () => requests++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function ask(tls: TlsOptions): Promise<unknown> {
  using client = new Client({ endpoint: { kind: 'https', url, tls } });
  return await client.get('/1.0');
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'lxd-ts-tls-'));
  certify('one');
  certify('other');
  certify('signed', '-CA', join(dir, 'one.crt'), '-CAkey', join(dir, 'one.key'));
});

beforeEach(() => {
  requests = 0;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

afterAll(() => {
  rmSync(dir, { recursive: true });
});

it('speaks to a server that shows the pinned certificate, whatever its name', async () => {
  await serve('one');
  expect(await ask({ pinned: pem('one.crt') })).toBe('hello');
});

it.each([
  ['another pinned one', 'one', 'other.crt'],
  ['none pinned', 'one', undefined],
  ['one that the pinned one has signed', 'signed', 'one.crt'],
])('sends nothing with %s', async (_, shown, pinned) => {
  await serve(shown);
  const tls = pinned === undefined ? {} : { pinned: pem(pinned) };
  await expect(ask(tls)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('Cannot trust the server') as string,
  });
  using client = new Client({ endpoint: { kind: 'https', url, tls } });
  await expect(openWebSocket(client, '/1.0/events')).rejects.toThrow('Cannot trust the server');
  expect(requests).toBe(0);
});

it('speaks TLS 1.3 and nothing older', async () => {
  await serve('one', { maxVersion: 'TLSv1.2' });
  await expect(ask({ pinned: pem('one.crt') })).rejects.toThrow('does not speak TLS 1.3');
});

it('lets a certificate be looked at without trusting it', async () => {
  await serve('one');
  expect(certificateFingerprint(await peekCertificate(url))).toBe(certificateFingerprint(pem('one.crt')));
  expect(requests).toBe(0);
});
