import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { askRemote, describeRemoteImage, jsonOf } from './remote.ts';
import { StreamCatalogue } from './streams.ts';

const signal = AbortSignal.timeout(60_000);
let dir: string;
let server: Server;
let url: URL;
let certificate: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lxd-ts-remote-'));
  const [key, crt] = [join(dir, 'key'), join(dir, 'crt')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-subj', '/CN=one', '-keyout', key, '-out', crt],
    ],
    { stdio: 'ignore' },
  );
  certificate = readFileSync(crt, 'utf8');
  server = createServer({ cert: certificate, key: readFileSync(key) }, (request, response) =>
    answer(request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true });
});

const remote = () => ({ server: url.origin, certificate, fingerprint: 'x', secret: 's3cret' });

describe('another server', () => {
  it('that never answers is given up', async () => {
    answer = () => undefined;
    await expect(askRemote(url, { certificate, path: '/', stalledMs: 50 }, signal)).rejects.toMatchObject({
      ...{ code: 'unavailable', message: expect.stringContaining('sends nothing any more') as string },
    });
  });

  it('that stops in the middle of its answer is given up', async () => {
    answer = (_, response) => void response.writeHead(200).write('{');
    const response = await askRemote(url, { certificate, path: '/', stalledMs: 50 }, signal);
    await expect(jsonOf(response)).rejects.toMatchObject({
      ...{ code: 'unavailable', message: expect.stringContaining('sends nothing any more') as string },
    });
  });

  it('is waited for where it may take long', async () => {
    answer = (_, response) => void setTimeout(() => response.end('late'), 120);
    expect(await text(await askRemote(url, { certificate, path: '/' }, signal))).toBe('late');
  });

  it('that never ends is not listened to for ever', async () => {
    const sent = { bytes: 0 };
    answer = (_, response) => {
      const more = (): void => {
        const piece = Buffer.alloc(1024 * 1024, ' ');
        while (!response.destroyed && response.write(piece)) sent.bytes += piece.length;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    await expect(describeRemoteImage(remote(), signal)).rejects.toThrow(/larger than/);
    expect(sent.bytes).toBeLessThan(64 * 1024 * 1024);
  });

  it('that leads elsewhere is followed by https alone, and the secret is not shown there', async () => {
    const asked: string[] = [];
    answer = (request, response) => {
      asked.push(request.url ?? '');
      if (request.url === '/there') response.end('{}');
      else response.writeHead(302, { location: '/there' }).end();
    };
    const query = { secret: 's3cret' };
    await text(await askRemote(url, { certificate, path: '/1.0/images/x', query }, signal));
    expect(asked).toEqual(['/1.0/images/x?secret=s3cret', '/there']);
    answer = (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1/' }).end();
    await expect(askRemote(url, { certificate, path: '/' }, signal)).rejects.toThrow(/not by https/);
    answer = (_, response) => void response.writeHead(302, { location: '/again' }).end();
    await expect(askRemote(url, { certificate, path: '/' }, signal)).rejects.toThrow(/status 302/);
  });
});

describe('what a server of images has', () => {
  const index = { index: { a: { datatype: 'image-downloads', path: 'streams/v1/images.json' } } };
  const item = { ftype: 'lxd_combined.tar.gz', sha256: 'a'.repeat(64), path: 'one', size: 1 };
  const products = { one: { arch: 'amd64', aliases: 'x', versions: { '20260101': { items: { item } } } } };

  it('is remembered for the certificate by which the server was known', async () => {
    let count = 0;
    answer = (request, response) => {
      count += 1;
      response.end(JSON.stringify(request.url?.endsWith('index.json') ? index : { products }));
    };
    const catalogue = new StreamCatalogue();
    const find = (pem: string) =>
      catalogue.find({ server: url.origin, certificate: pem, alias: 'x' }, 'x86_64', { signal });
    expect((await find(certificate)).fingerprint).toBe(item.sha256);
    await find(certificate);
    expect(count).toBe(2);
    // Nobody trusts it by itself.
    await expect(find('')).rejects.toMatchObject({ code: 'unavailable' });
    expect(count).toBe(2);
  });
});
