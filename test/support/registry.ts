import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { IncomingMessage } from 'node:http';
import { makeCertificate } from './certificate.ts';
import { freePort } from './free-port.ts';
import { sha256, type OciTestImage } from './oci-image.ts';
import { waitFor } from './wait-for.ts';

/** Debian's docker-registry over TLS on loopback. */
export interface Registry extends AsyncDisposable {
  url: string;
  /** PEM file. */
  certificate: string;
  /** Puts an image there, under a tag. */
  push(repository: string, tag: string, image: OciTestImage): Promise<void>;
  /** A list of images for several architectures. */
  pushIndex(repository: string, tag: string, images: Readonly<Record<string, OciTestImage>>): Promise<void>;
  /** The file of a blob on its disk. */
  blobFile(digest: string): string;
  /** Paths below /v2 of what was asked for since it was last asked, without what this has asked for. */
  asked(): string[];
  /** Serves the same at the same address in the network of another process, too. */
  serveIn(pid: number): Promise<void>;
}

export type RegistryAuth =
  | { kind: 'none' }
  /** By a user and password. */
  | { kind: 'basic'; user: string; password: string }
  /** By tokens from another server; without a user only `open/…` is given out. */
  | { kind: 'token'; user: string; password: string };

const userAgent = 'lxd-ts-test';

interface Asking {
  method?: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
}

const ask = (url: string, ca: string, { method = 'GET', headers = {}, body }: Asking = {}) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { method, ca, headers: { 'User-Agent': userAgent, ...headers }, agent: false }, resolve)
      .once('error', reject)
      .end(body);
  });

/** A token as docker-registry checks it: signed by the certificate that it was told of. */
function makeToken(pem: { key: string; certificate: string }, subject: string, access: object[]): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const x5c = [new X509Certificate(readFileSync(pem.certificate)).raw.toString('base64')];
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    ...{ iss: 'test-issuer', sub: subject, aud: 'test-registry', jti: randomUUID(), access },
    ...{ exp: now + 300, nbf: now - 10, iat: now },
  };
  const head = `${encode({ typ: 'JWT', alg: 'ES256', x5c })}.${encode(claims)}`;
  const key = createPrivateKey(readFileSync(pem.key));
  return `${head}.${sign('sha256', Buffer.from(head), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/** Gives tokens: to the user for everything, to others for what is open. */
async function serveTokens(
  pem: { key: string; certificate: string },
  { user, password }: { user: string; password: string },
): Promise<AsyncDisposable & { url: string }> {
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const server = createServer(
    { key: readFileSync(pem.key), cert: readFileSync(pem.certificate) },
    ({ url = '/', headers }, response) => {
      const scope = new URL(url, 'https://localhost').searchParams.get('scope') ?? '';
      const [, name = '', actions = ''] = /^repository:([^:]+):(.*)$/.exec(scope) ?? [];
      const known = headers.authorization === expected;
      if (headers.authorization !== undefined && !known) {
        response.writeHead(401).end(JSON.stringify({ details: 'incorrect username or password' }));
        return;
      }
      const may = known || name.startsWith('open/');
      const access = may ? [{ type: 'repository', name, actions: actions.split(',') }] : [];
      response.end(JSON.stringify({ token: makeToken(pem, known ? user : '', access) }));
    },
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}/token`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await gone;
}

export async function startRegistry(dir: string, auth: RegistryAuth = { kind: 'none' }): Promise<Registry> {
  mkdirSync(dir, { recursive: true });
  const pem = makeCertificate(dir);
  const ca = readFileSync(pem.certificate, 'utf8');
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const tokens = auth.kind === 'token' ? await serveTokens(pem, auth) : undefined;
  const storage = join(dir, 'storage');
  const log = join(dir, 'access.log');
  const config: Record<string, unknown> = {
    version: '0.1',
    log: { level: 'info', formatter: 'json', accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}`, tls: { certificate: pem.certificate, key: pem.key } },
  };
  if (auth.kind === 'basic') {
    const path = join(dir, 'htpasswd');
    // docker-registry knows bcrypt alone.
    const hash = execFileSync(
      'python3',
      [
        '-Wignore',
        '-c',
        'import crypt,sys; print(crypt.crypt(sys.argv[1], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))',
        auth.password,
      ],
      { encoding: 'utf8' },
    ).trim();
    writeFileSync(path, `${auth.user}:${hash}\n`);
    config['auth'] = { htpasswd: { realm: 'test', path } };
  }
  if (tokens)
    config['auth'] = {
      token: {
        ...{ realm: tokens.url, service: 'test-registry', issuer: 'test-issuer' },
        rootcertbundle: pem.certificate,
      },
    };
  const file = join(dir, 'config.yml');
  writeFileSync(file, JSON.stringify(config));
  execFileSync('sh', ['-c', ': >"$1"', 'sh', log]);
  const children: ChildProcess[] = [];
  const serve = (into: string, ...prefix: string[]) => {
    const script = 'out=$1; shift; exec "$@" >"$out" 2>&1';
    const argv = ['-c', script, 'sh', into, ...prefix, 'docker-registry', 'serve', file];
    children.push(spawn('sh', argv, { stdio: 'ignore' }));
  };
  serve(log);
  const up = () =>
    ask(`${url}/v2/`, ca).then(
      (response) => response.resume().statusCode,
      () => undefined,
    );
  await waitFor('the registry', up, (status) => status === 200 || status === 401);
  let read = 0;

  const authorization = (repository: string): Record<string, string> => {
    if (auth.kind === 'basic')
      return { Authorization: `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}` };
    if (auth.kind === 'none') return {};
    const access = [{ type: 'repository', name: repository, actions: ['pull', 'push'] }];
    return { Authorization: `Bearer ${makeToken(pem, 'pusher', access)}` };
  };
  const must = async (status: number, at: string, asking: Asking): Promise<IncomingMessage> => {
    const response = await ask(new URL(at, url).href, ca, asking);
    if (response.statusCode !== status)
      throw new Error(`${asking.method ?? 'GET'} ${at}: ${response.statusCode ?? 0} ${await text(response)}`);
    response.resume();
    return response;
  };
  const putManifest = (repository: string, name: string, type: string, body: Buffer) =>
    must(201, `/v2/${repository}/manifests/${name}`, {
      ...{ method: 'PUT', body },
      headers: { ...authorization(repository), 'Content-Type': type },
    });
  const pushBlobs = async (repository: string, { blobs }: OciTestImage) => {
    for (const { digest, bytes } of blobs) {
      const headers = authorization(repository);
      const begun = await must(202, `/v2/${repository}/blobs/uploads/`, { method: 'POST', headers });
      const to = new URL(begun.headers.location ?? '', url);
      to.searchParams.set('digest', digest);
      const more = { ...headers, 'Content-Type': 'application/octet-stream' };
      await must(201, `${to.pathname}${to.search}`, { method: 'PUT', headers: more, body: bytes });
    }
  };

  return {
    url,
    certificate: pem.certificate,
    push: async (repository, tag, image) => {
      await pushBlobs(repository, image);
      await putManifest(repository, tag, image.mediaType, image.manifest);
    },
    pushIndex: async (repository, tag, images) => {
      const manifests: object[] = [];
      for (const [architecture, image] of Object.entries(images)) {
        await pushBlobs(repository, image);
        await putManifest(repository, `sha256:${image.fingerprint}`, image.mediaType, image.manifest);
        manifests.push({
          ...{
            mediaType: image.mediaType,
            digest: `sha256:${sha256(image.manifest)}`,
            size: image.manifest.length,
          },
          platform: { os: 'linux', architecture },
        });
      }
      const mediaType = 'application/vnd.oci.image.index.v1+json';
      const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
      await putManifest(repository, tag, mediaType, body);
    },
    blobFile: (digest) => {
      const hex = digest.replace('sha256:', '');
      const at = join(storage, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex);
      return join(at, readdirSync(at)[0] ?? '');
    },
    asked: () => {
      const all = readFileSync(log, 'utf8');
      const fresh = all.slice(read);
      read = all.length;
      return fresh
        .split('\n')
        .filter((line) => line.startsWith('127.0.0.1') && !line.includes(userAgent))
        .flatMap((line) => /"(?:GET|HEAD) \/v2\/(\S+) /.exec(line)?.[1] ?? []);
    },
    serveIn: async (pid) => {
      const there = ['-t', String(pid), '-n'];
      serve(join(dir, `access-${pid}.log`), 'nsenter', ...there);
      const args = [...there, 'curl', '-sk', '-o', '/dev/null', `${url}/v2/`];
      const answers = () => Promise.resolve(spawnSync('nsenter', args).status);
      await waitFor('the registry there', answers, (status) => status === 0);
    },
    [Symbol.asyncDispose]: async () => {
      for (const child of children) await stopped(child);
      await tokens?.[Symbol.asyncDispose]();
    },
  };
}
