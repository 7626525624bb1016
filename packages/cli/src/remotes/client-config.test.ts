import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { ClientConfig, configDir, meansLocal } from './client-config.ts';
import type { Remote } from './remote.ts';

let dir: string;
let env: Record<string, string>;

const far: Remote = {
  addr: 'https://10.0.0.7:8443',
  protocol: 'lxd',
  public: false,
  authType: 'tls',
  project: 'default',
  static: false,
  global: false,
};

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lxd-ts-conf-'));
  env = { LXD_TS_CONF: join(dir, 'conf'), LXD_TS_GLOBAL_CONF: join(dir, 'global') };
});
afterEach(() => rm(dir, { recursive: true }));

it('is where the environment says', () => {
  expect(configDir({ LXD_TS_CONF: '/a', LXD_CONF: '/b' })).toBe('/a');
  expect(configDir({ LXD_CONF: '/b' })).toBe('/b');
  expect(configDir({ HOME: '/home/me' })).toBe('/home/me/.config/lxd-ts');
});

it('knows the usual remotes before there is a file', async () => {
  const config = await ClientConfig.load(env);
  expect([...config.remotes.keys()].sort()).toEqual(['docker', 'images', 'local', 'ubuntu', 'ubuntu-daily']);
  expect(config.defaultRemote).toBe('local');
  expect(ClientConfig.isPlainLocal(env)).toBe(true);
});

it('writes what it reads, and keeps what it does not know', async () => {
  const first = await ClientConfig.load(env);
  first.remotes.set('far', far);
  await first.save();
  const path = join(dir, 'conf', 'config.yml');
  const text = await readFile(path, 'utf8');
  expect(text).toBe(`default-remote: local
remotes:
  far:
    addr: https://10.0.0.7:8443
    auth_type: tls
    project: default
    protocol: lxd
    public: false
  images:
    addr: https://images.linuxcontainers.org
    protocol: simplestreams
    public: true
  local:
    addr: unix://
    public: false
aliases: {}
`);
  await writeFile(path, text.replace('aliases: {}', 'aliases:\n  ll: list -f csv\nnew-key: 1'));
  const second = await ClientConfig.load(env);
  expect(second.get('far')).toEqual(far);
  second.remotes.delete('images');
  second.defaultRemote = 'far';
  await second.save();
  const third = await ClientConfig.load(env);
  expect(third.remotes.has('images')).toBe(false);
  expect(third.defaultRemote).toBe('far');
  expect(await readFile(path, 'utf8')).toMatch(/aliases:\n {2}ll: list -f csv\nnew-key: 1\n/);
  expect((await readdir(join(dir, 'conf'))).sort()).toEqual(['config.yml']);
});

it('refuses to change what is built in', async () => {
  const config = await ClientConfig.load(env);
  expect(() => config.own('ubuntu')).toThrow('Remote ubuntu is static and cannot be modified');
  expect(() => config.own('nope')).toThrow("Remote nope doesn't exist");
  expect(() => config.get('nope')).toThrow('The remote "nope" doesn\'t exist');
});

it('keeps certificates beside it: the key to itself', async () => {
  const config = await ClientConfig.load(env);
  expect(config.clientCertificate()).toBeUndefined();
  await config.makeClientCertificate('me@here', new Date('2026-01-02T03:04:05Z'));
  const { cert = '', key } = config.clientCertificate() ?? {};
  expect(key).toContain('EC PRIVATE KEY');
  const parsed = new X509Certificate(cert);
  expect(parsed.subject).toBe('O=lxd-ts\nCN=me@here');
  expect(parsed.verify(parsed.publicKey)).toBe(true);
  expect([parsed.validFrom, parsed.validTo]).toEqual([
    'Jan  2 03:04:05 2026 GMT',
    'Jan  2 03:04:05 2036 GMT',
  ]);
  expect((await stat(join(dir, 'conf/client.key'))).mode & 0o777).toBe(0o600);

  await config.pin('far', cert);
  await config.renamePin('far', 'near');
  expect([config.serverCertificate('far'), config.serverCertificate('near')]).toEqual([undefined, cert]);
  await config.unpin('near');
  expect(config.serverCertificate('near')).toBeUndefined();
});

it.each([
  ['', true],
  ['default-remote: local\nremotes:\n  local:\n    addr: unix://\n    public: false\naliases: {}\n', true],
  ['default-remote: far\nremotes: {}\n', false],
  ['default-remote: local\nremotes:\n  local:\n    addr: unix://\n    project: web\n', false],
])('tells from %j whether only this machine is meant', (text, expected) => {
  expect(meansLocal(text)).toBe(expected);
});

it('leaves a remote of the user that is named like a usual one alone, and keeps secrets to itself', async () => {
  const config = await ClientConfig.load(env);
  expect(config.get('docker')).toMatchObject({ protocol: 'oci', static: true, public: true });
  config.remotes.set('docker', { ...far, addr: 'https://hub.example.org', protocol: 'oci', public: true });
  await config.save();
  await config.keepSecret('docker', 'me:word');
  const again = await ClientConfig.load(env);
  expect(again.get('docker')).toMatchObject({ addr: 'https://hub.example.org', static: false });
  expect(again.secret('docker')).toBe('me:word');
  expect((await stat(join(dir, 'conf', 'secrets', 'docker'))).mode & 0o777).toBe(0o600);
  expect(await readFile(join(dir, 'conf', 'config.yml'), 'utf8')).not.toContain('word');
  await again.renamePin('docker', 'hub');
  expect([again.secret('docker'), again.secret('hub')]).toEqual([undefined, 'me:word']);
  await again.unpin('hub');
  expect(again.secret('hub')).toBeUndefined();
});
