import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownClient, stockClient, type Client } from '../support/client.ts';
import { lxdTs } from '../support/daemon.ts';
import { makeTemporary } from '../support/ground.ts';
import { HostDaemon } from '../support/host-daemon.ts';
import { appConfig, makeAppLayers } from '../support/oci-app.ts';
import { makeLayer, makeOciImage, type OciTestImage } from '../support/oci-image.ts';
import { startRegistry, type Registry } from '../support/registry.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(120_000);

interface Image {
  fingerprint: string;
  cached: boolean;
  architecture: string;
  properties: Record<string, string>;
  aliases: { name: string }[];
  update_source?: Record<string, string>;
}

const bridge = 'lxdts-oci0';
const gateway = '10.213.77.1';
const secret = 'me:a-secret-word';

/** Images of a real registry, run as applications. */
describe('OCI registries', () => {
  let dir: string;
  let registry: Registry;
  let closed: Registry;
  let daemon: HostDaemon;
  let own: Client;
  let stock: Client;
  let base: Buffer;
  let files: Buffer;
  let app: OciTestImage;
  let other: OciTestImage;

  const must = async (client: Client, ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await client(args);
    if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const images = async (): Promise<Image[]> =>
    (await daemon.rest.must('GET', '/1.0/images?recursion=1')).metadata as Image[];
  const clear = async () => {
    for (const url of (await daemon.rest.must('GET', '/1.0/instances')).metadata as string[]) {
      await daemon.rest.call('PUT', `${url}/state`, { action: 'stop', force: true });
      await daemon.rest.must('DELETE', url);
    }
    for (const { fingerprint } of await images())
      await daemon.rest.must('DELETE', `/1.0/images/${fingerprint}`);
    registry.asked();
  };
  const kept = (): string[] => readdirSync(join(daemon.dir, 'images')).sort();
  const blobs = (): string[] => {
    const at = join(daemon.dir, 'images/blobs');
    return existsSync(at) ? readdirSync(at).sort() : [];
  };
  const unpacked = (): string[] => readdirSync(join(daemon.dir, 'storage-pools/fast/images')).sort();
  const hexes = (...all: OciTestImage[]): string[] =>
    [...new Set(all.flatMap((image) => image.blobs.map(({ digest }) => digest.slice(7))))].sort();
  const source = (alias: string, more: object = {}) => ({
    ...{ type: 'image', mode: 'pull', protocol: 'oci', server: registry.url, alias },
    ...more,
  });
  const addressOf = async (name: string): Promise<string> => {
    const { metadata } = await daemon.rest.must('GET', `/1.0/instances/${name}/state`);
    const { network } = metadata as { network: Record<string, { addresses: Record<string, string>[] }> };
    return network['eth0']?.addresses.find(({ family }) => family === 'inet')?.['address'] ?? '';
  };

  beforeAll(async () => {
    dir = makeTemporary('oci');
    ({ base, files } = makeAppLayers(dir));
    app = makeOciImage([{ tar: base }, { tar: files }], appConfig);
    const more = makeLayer(dir, (root) => writeFileSync(join(root, 'more'), 'more'));
    other = makeOciImage([{ tar: base }, { tar: more, packing: 'zstd' }], {
      ...{ Cmd: ['/bin/sleep', '1000'], StopSignal: 'SIGINT' },
    });
    registry = await startRegistry(join(dir, 'registry'));
    closed = await startRegistry(join(dir, 'closed'), {
      kind: 'token',
      user: 'me',
      password: 'a-secret-word',
    });
    await registry.push('team/app', '1.2', app);
    const arm = makeOciImage([{ tar: more }], { Cmd: ['/none'] }, { architecture: 'arm64' });
    await registry.pushIndex('team/other', 'latest', { arm64: arm, amd64: other });
    await closed.push('team/app', '1.2', app);
    await closed.push('open/app', 'latest', app);
    const trusted = join(dir, 'trusted.pem');
    writeFileSync(
      trusted,
      `${readFileSync(registry.certificate, 'utf8')}${readFileSync(closed.certificate, 'utf8')}`,
    );
    process.env['SSL_CERT_FILE'] = trusted;
    daemon = new HostDaemon(join(dir, 'server'));
    await daemon.start();
    const { rest } = daemon;
    await rest.must('POST', '/1.0/storage-pools', {
      name: 'fast',
      driver: 'btrfs',
      config: { size: '1GiB' },
    });
    await rest.must('POST', '/1.0/storage-pools', { name: 'plain', driver: 'dir' });
    await rest.must('POST', '/1.0/storage-pools', { name: 'layered', driver: 'overlay' });
    await rest.must('POST', '/1.0/networks', {
      name: bridge,
      config: { 'ipv4.address': `${gateway}/24`, 'ipv4.nat': 'false', 'ipv6.address': 'none' },
    });
    await rest.must('PUT', '/1.0/profiles/default', {
      devices: {
        root: { type: 'disk', path: '/', pool: 'fast' },
        eth0: { type: 'nic', network: bridge, name: 'eth0' },
      },
    });
    own = ownClient(lxdTs, daemon.dir, join(dir, 'own'));
    stock = stockClient(daemon.dir, join(dir, 'stock'));
    await must(own, 'remote', 'add', 'reg', registry.url, '--protocol', 'oci');
  });
  afterAll(async () => {
    try {
      await clear();
      expect([kept(), unpacked()]).toEqual([[], []]);
      const { rest } = daemon;
      await rest.must('PUT', '/1.0/profiles/default', { devices: {} });
      await rest.must('DELETE', `/1.0/networks/${bridge}`);
      for (const pool of ['fast', 'plain', 'layered'])
        await rest.must('DELETE', `/1.0/storage-pools/${pool}`);
    } finally {
      await daemon.end('SIGTERM');
      for (const one of [registry, closed]) await one[Symbol.asyncDispose]();
      delete process.env['SSL_CERT_FILE'];
      rmSync(dir, { recursive: true });
    }
  });
  beforeEach(clear);

  test('an image runs as it says: user, words, environment, place, address, names, end', async () => {
    await must(own, 'launch', 'reg:team/app:1.2', 'c1');
    const ran = async () => (await own(['exec', 'c1', '--', 'cat', '/data/ran'])).stdout;
    const text = await waitFor('the application', ran, (found) => found.includes('quoted'));
    expect(text.split('\n')).toEqual([
      ...['1000', '1001', '1001', '/work/deep', 'hello  world', '/home/app', 'c1'],
      ...['[two words]', `[it's "quoted"]`, ''],
    ]);
    const { metadata } = await daemon.rest.must('GET', '/1.0/instances/c1');
    expect((metadata as { config: Record<string, string> }).config).toMatchObject({
      'oci.entrypoint': `/app/run.sh 'two words' 'it'\\''s "quoted"'`,
      'oci.user': 'app',
      'oci.cwd': '/work/deep',
      'environment.GREETING': 'hello  world',
      'image.type': 'oci',
      'volatile.base_image': app.fingerprint,
    });
    const address = await addressOf('c1');
    expect(address).toMatch(/^10\.213\.77\.\d+$/);
    const served = () => execFileSync('curl', ['-s', '-m', '2', `http://${address}/`], { encoding: 'utf8' });
    await waitFor(
      'its port',
      () =>
        Promise.resolve()
          .then(served)
          .catch(() => ''),
      (found) => found === 'served',
    );
    const inside = (...words: string[]) => must(own, 'exec', 'c1', '--', ...words);
    expect(await inside('cat', '/etc/hostname')).toBe('c1\n');
    expect(await inside('cat', '/etc/resolv.conf')).toContain(`search lxd\nnameserver ${gateway}\n`);
    expect(await inside('cat', '/etc/hosts')).toContain(`${address}\tc1\n`);
    expect(await inside('ip', 'route')).toContain(`default via ${gateway}`);
    expect(await inside('sh', '-c', 'pwd; echo $PATH; ls /old /old/things; ls -ld /dev/shm')).toMatch(
      /^\/work\/deep\n\/bin:\/sbin:\/app\n\/old:\nthings\n\n\/old\/things:\nnew\ndrwxrwxrwt/,
    );
    await must(own, 'launch', 'reg:team/other', 'c2');
    expect(await must(own, 'exec', 'c2', '--', 'nslookup', 'c1.lxd', gateway)).toContain(address);
    expect(await must(own, 'network', 'list-leases', bridge)).toContain(address);

    const began = Date.now();
    await must(own, 'stop', 'c1');
    expect(Date.now() - began).toBeLessThan(5_000);
    const root = join(daemon.dir, 'containers/c1/rootfs');
    expect(readFileSync(join(root, 'data/stopped'), 'utf8')).toBe('stopped\n');
    // What it was given it keeps, and what the user wrote himself is his.
    writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 mine\n');
    await must(own, 'config', 'set', 'c1', 'oci.user=2000:0', 'environment.GREETING=again');
    await must(own, 'start', 'c1');
    await waitFor(
      'the other address',
      () => addressOf('c1'),
      (found) => found === address,
    );
    expect(await inside('cat', '/etc/hosts')).toBe('127.0.0.1 mine\n');
  });

  test('one that does not listen is killed after the time that it had', async () => {
    await must(own, 'launch', 'reg:team/other', 'c1');
    expect(await must(own, 'config', 'get', 'c1', 'oci.stop_signal')).toBe('SIGINT\n');
    await must(own, 'stop', 'c1', '--timeout', '1');
    expect(await must(own, 'list', '-f', 'csv', '-c', 'ns')).toBe('c1,STOPPED\n');
  });

  test('one that has done its work at once has run, as often as it is started', async () => {
    await registry.push(
      'team/short',
      'latest',
      makeOciImage([{ tar: base }], { Cmd: ['/bin/sh', '-c', 'echo x >>/ran'] }),
    );
    await must(own, 'launch', 'reg:team/short', 'c1');
    const state = () => must(own, 'list', '-f', 'csv', '-c', 'ns');
    await waitFor('its end', state, (found) => found === 'c1,STOPPED\n');
    await must(own, 'start', 'c1');
    await waitFor('its end', state, (found) => found === 'c1,STOPPED\n');
    expect(readFileSync(join(daemon.dir, 'containers/c1/rootfs/ran'), 'utf8')).toBe('x\nx\n');
    expect(existsSync(join(daemon.dir, 'devices/c1'))).toBe(false);
    await must(own, 'config', 'set', 'c1', 'oci.entrypoint=/none');
    expect((await own(['start', 'c1'])).stderr).toMatch(/Failed to exec "\/none"/);
    await must(own, 'config', 'set', 'c1', 'oci.entrypoint=/bin/true', 'oci.user=nobody-here');
    expect((await own(['start', 'c1'])).stderr).toMatch(/has no user "nobody-here"/);
    for (const wrong of [
      'oci.entrypoint="never ends',
      'oci.cwd=here',
      'oci.stop_signal=SIGNO',
      'oci.user=a b',
      'oci.x=1',
    ])
      expect((await own(['config', 'set', 'c1', wrong])).code).toBe(1);
  });

  test('is copied, published, rebuilt and given another network as any other', async () => {
    await must(own, 'launch', 'reg:team/other', 'c1', '-c', 'security.privileged=true');
    const inside = (name: string, ...words: string[]) => must(own, 'exec', name, '--', ...words);
    await must(own, 'config', 'device', 'add', 'c1', 'eth1', 'nic', `network=${bridge}`, 'name=eth1');
    expect(await inside('c1', 'ip', '-4', 'addr', 'show', 'dev', 'eth1')).toMatch(
      /inet 10\.213\.77\.\d+\/24/,
    );
    await must(own, 'stop', '-f', 'c1');
    await must(own, 'copy', 'c1', 'c2');
    await must(own, 'start', 'c1', 'c2');
    expect((await inside('c1', 'ip', 'route')).match(/^default via/gm)).toHaveLength(1);
    const [one, two] = [await addressOf('c1'), await addressOf('c2')];
    expect(one).not.toBe(two);
    expect(await inside('c2', 'cat', '/etc/hosts')).toContain(`${two}\tc2\n`);
    await must(own, 'stop', '-f', 'c1', 'c2');
    await must(own, 'config', 'unset', 'c2', 'security.privileged');
    await must(own, 'config', 'set', 'c2', 'oci.entrypoint=/bin/sleep 2000');
    await must(own, 'publish', 'c2', '--alias', 'mine');
    await must(own, 'launch', 'mine', 'c3');
    expect(await must(own, 'config', 'get', 'c3', 'oci.entrypoint')).toBe('/bin/sleep 2000\n');
    expect(await inside('c3', 'cat', '/proc/1/cmdline')).toBe('/bin/sleep\0' + '2000\0');
    await must(own, 'image', 'export', 'mine', `${dir}/published`);
    await must(own, 'rebuild', 'reg:team/app:1.2', 'c2');
    expect(await must(own, 'config', 'get', 'c2', 'oci.user')).toBe('app\n');
    expect(await must(own, 'config', 'get', 'c2', 'oci.stop_signal')).toBe('\n');
    await must(own, 'start', 'c2');
    await waitFor(
      'the application',
      async () => (await own(['exec', 'c2', '--', 'cat', '/data/ran'])).stdout,
      (found) => found.includes('quoted'),
    );
  });

  test('says what it has, as far as registries do', async () => {
    const info = await must(own, 'image', 'info', 'reg:team/app:1.2');
    expect(info).toContain(`Fingerprint: ${app.fingerprint}`);
    expect(info).toContain('Architecture: x86_64');
    expect(await must(own, 'image', 'info', 'reg:team/other')).toContain(other.fingerprint);
    for (const [args, message] of [
      [['image', 'list', 'reg:'], /does not list its images/],
      [['image', 'info', 'reg:team/none'], /has no "team\/none"/],
      [['image', 'info', 'reg:Team/App'], /small letters/],
      [['launch', 'reg:team/app:9', 'c1'], /has no "team\/app"/],
      [['remote', 'add', 'x', 'http://127.0.0.1:1', '--protocol', 'oci'], /Only https/],
    ] as const) {
      const { code, stderr } = await own(args);
      expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
    }
    expect(await must(own, 'remote', 'list', '-f', 'csv')).toContain(
      'docker,https://registry-1.docker.io,oci,none,YES',
    );
  });

  test('layers are fetched, kept and unpacked once, whoever has them', async () => {
    const create = (name: string, alias: string, pool = 'fast') =>
      daemon.rest.must('POST', '/1.0/instances', {
        ...{ name, source: source(alias) },
        devices: { root: { type: 'disk', path: '/', pool } },
      });
    await Promise.all(
      Array.from({ length: 8 }, (_, i) => create(`m${i}`, i % 2 ? 'team/app:1.2' : 'team/other')),
    );
    const layers = [...app.layers, ...other.layers].map(({ digest }) => digest);
    const asked = registry.asked().filter((path) => layers.some((digest) => path.endsWith(digest)));
    expect(asked.map((path) => path.split('/').at(-1)).sort()).toEqual([...new Set(layers)].sort());
    expect(blobs()).toEqual(hexes(app, other));
    expect(unpacked().filter((name) => name.startsWith('layers-'))).toHaveLength(3);
    expect((await images()).map(({ fingerprint }) => fingerprint).sort()).toEqual(
      [app.fingerprint, other.fingerprint].sort(),
    );
    // Where copies cost, they are unpacked into it.
    await create('d1', 'team/app:1.2', 'plain');
    const things = join(daemon.dir, 'storage-pools/plain/containers/d1/rootfs/old/things');
    expect(readdirSync(things)).toEqual(['new']);
    expect(readdirSync(join(daemon.dir, 'storage-pools/plain/images'))).toEqual([]);

    await daemon.rest.must('DELETE', `/1.0/images/${other.fingerprint}`);
    expect(blobs()).toEqual(hexes(app));
    expect(unpacked().filter((name) => name.startsWith('layers-'))).toHaveLength(2);
    await daemon.rest.must('DELETE', `/1.0/images/${app.fingerprint}`);
    expect([kept(), unpacked()]).toEqual([[], []]);
  });

  test.each(['plain', 'layered'])('an application runs in pool %s', async (pool) => {
    const body = {
      name: 'p1',
      source: source('team/app:1.2'),
      devices: { root: { type: 'disk', path: '/', pool } },
    };
    await daemon.rest.must('POST', '/1.0/instances', body);
    await must(own, 'start', 'p1');
    const ran = await waitFor(
      'what it writes',
      async () => (await own(['exec', 'p1', '--', 'cat', '/data/ran'])).stdout,
      (text) => text.includes(`[it's "quoted"]`),
    );
    expect(ran.split('\n').slice(0, 2)).toEqual(['1000', '1001']);
    expect(await must(own, 'exec', 'p1', '--', 'cat', '/etc/hostname')).toBe('p1\n');
    await must(own, 'stop', 'p1');
    await must(own, 'start', 'p1');
    await must(own, 'stop', '-f', 'p1');
  });

  test('a wrong blob is refused and nothing is left of it', async () => {
    const file = registry.blobFile(app.layers[1]?.digest ?? '');
    const bytes = readFileSync(file);
    const wrong = Buffer.from(bytes);
    wrong.writeUInt32LE(0x1234, 20);
    writeFileSync(file, wrong);
    const asked = daemon.rest.must('POST', '/1.0/images', { source: source('team/app:1.2') });
    await expect(asked).rejects.toThrow(/digest of a layer doesn't match/);
    expect([kept(), await images()]).toEqual([[], []]);
    writeFileSync(file, bytes);
    await must(own, 'image', 'copy', 'reg:team/app:1.2', 'local:', '--alias', 'app');
    expect(await images()).toMatchObject([
      {
        fingerprint: app.fingerprint,
        aliases: [{ name: 'app' }],
        properties: { type: 'oci', description: `${registry.url.replace('https://', '')}/team/app:1.2` },
        update_source: { protocol: 'oci', server: registry.url, alias: 'team/app:1.2' },
      },
    ]);
  });

  test('a daemon that is killed in the middle leaves no half blob and no half image', async () => {
    const large = makeLayer(dir, (root) => writeFileSync(join(root, 'large'), randomBytes(48 * 1024 * 1024)));
    await registry.push(
      'team/large',
      'latest',
      makeOciImage([{ tar: base }, { tar: large, packing: 'tar' }], { Cmd: ['sleep', '100'] }),
    );
    const half = (names: string[]) => names.some((name) => name.startsWith('.partial-'));
    const killWhen = async (isTime: () => boolean) => {
      const asked = daemon.rest
        .must('POST', '/1.0/instances', { name: 'c1', source: source('team/large') })
        .catch(() => undefined);
      for (const end = Date.now() + 20_000; !isTime() && Date.now() < end;) await sleep(1);
      await daemon.end('SIGKILL');
      await asked;
    };
    await killWhen(() => half(blobs()) && blobs().length === 3);
    expect(half(blobs())).toBe(true);
    await daemon.start();
    await waitFor(
      'the rest to go',
      () => Promise.resolve(kept()),
      (found) => found.length === 0,
    );
    const instances = async () => (await daemon.rest.must('GET', '/1.0/instances')).metadata as string[];
    expect([await images(), await instances()]).toEqual([[], []]);
    // And while the layers are unpacked.
    await killWhen(() => half(unpacked()) && unpacked().length > 1);
    expect(half(unpacked())).toBe(true);
    await daemon.start();
    await waitFor('the half instance to go', instances, (found) => found.length === 0);
    expect(half(unpacked())).toBe(false);
    await must(own, 'launch', 'reg:team/large', 'c1');
    expect(unpacked().filter((name) => name.startsWith('layers-'))).toHaveLength(2);
  });

  test('a newer image under the same tag takes the place of the old one', async () => {
    await registry.push('team/moving', 'latest', app);
    await must(own, 'image', 'copy', 'reg:team/moving', 'local:', '--alias', 'moving', '--auto-update');
    expect(await must(own, 'image', 'refresh', 'moving')).toMatch(/already up to date/);
    await registry.push('team/moving', 'latest', other);
    expect(await must(own, 'image', 'refresh', 'moving')).toMatch(/refreshed successfully/);
    expect(await images()).toMatchObject([{ fingerprint: other.fingerprint, aliases: [{ name: 'moving' }] }]);
    expect(blobs()).toEqual(hexes(other));
  });

  test('a registry that asks who comes: the secret opens it, and is shown to nobody', async () => {
    const from = (alias: string, more: object = {}) => ({
      source: source(alias, { server: closed.url, ...more }),
    });
    const post = (body: object) => daemon.rest.must('POST', '/1.0/images', body);
    await expect(post(from('team/app:1.2'))).rejects.toThrow(/does it need a user and password/);
    await expect(post(from('team/app:1.2', { secret: 'me:wrong' }))).rejects.toThrow(/incorrect username/);
    await post(from('open/app'));
    await clear();
    await post(from('team/app:1.2', { secret }));
    const shown = await daemon.rest.must('GET', '/1.0/images?recursion=1');
    expect(shown.text).not.toContain('a-secret-word');
    // It is kept for who looks for a newer one.
    const [image] = await images();
    await daemon.rest.must('POST', `/1.0/images/${image?.fingerprint ?? ''}/refresh`);
    expect((await daemon.rest.must('GET', '/1.0/operations?recursion=1')).text).not.toContain(
      'a-secret-word',
    );
    expect(readFileSync(`${daemon.dir}.log`, 'utf8')).not.toContain('a-secret-word');
    await clear();
    const add = ['remote', 'add', 'closed', closed.url, '--protocol', 'oci', '--username', 'me'];
    await must(own, ...add, '--password', 'a-secret-word');
    expect(await must(own, 'image', 'info', 'closed:team/app:1.2')).toContain(app.fingerprint);
    await must(own, 'init', 'closed:team/app:1.2', 'c1');
    expect(await images()).toMatchObject([{ fingerprint: app.fingerprint, cached: true }]);
    await must(own, 'remote', 'remove', 'closed');
    expect(readdirSync(join(dir, 'own/.config/lxd-ts/secrets'))).toEqual([]);
    await clear();

    const auth = { kind: 'basic', user: 'me', password: 'a-secret-word' } as const;
    await using basic = await startRegistry(join(dir, 'basic'), auth);
    await basic.push('team/app', '1.2', app);
    const at = { server: basic.url, certificate: readFileSync(basic.certificate, 'utf8') };
    await expect(post(from('team/app:1.2', at))).rejects.toThrow(/needs a user/);
    await expect(post(from('team/app:1.2', { ...at, secret: 'me:wrong' }))).rejects.toThrow(/to this user/);
    await post(from('team/app:1.2', { ...at, secret }));
  });

  test('a registry that the machine does not trust is known by its certificate', async () => {
    const environment = { SSL_CERT_FILE: '/dev/null' };
    const add = ['remote', 'add', 'pinned', registry.url, '--protocol', 'oci'];
    expect((await own([...add], { environment, input: 'n\n' })).code).toBe(1);
    expect(await own([...add, '--accept-certificate'], { environment })).toMatchObject({ code: 0 });
    const info = await own(['image', 'info', 'pinned:team/app:1.2'], { environment });
    expect(info.stdout).toContain(app.fingerprint);
    await must(own, 'init', 'pinned:team/app:1.2', 'c1');
    expect((await images())[0]?.update_source?.['certificate']).toContain('BEGIN CERTIFICATE');
    await must(own, 'remote', 'remove', 'pinned');
  });

  test('what would be a lie is refused: an export, by whichever client', async () => {
    await must(own, 'image', 'copy', 'reg:team/app:1.2', 'local:', '--alias', 'app', '--public');
    for (const client of [own, stock]) {
      const { code, stderr } = await client(['image', 'export', 'app', `${dir}/`]);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/from an OCI registry and cannot be exported/),
      ]);
    }
    expect(await must(stock, 'image', 'list', '-f', 'csv')).toContain('app,');
    await must(stock, 'launch', 'app', 'c1');
    await must(stock, 'delete', '-f', 'c1');
  });

  test.each([
    [{ server: 'http://127.0.0.1:1' }, /must be https/],
    [{ server: 'https://me:word@127.0.0.1:1' }, /must not have a user and password/],
    [{ server: 'http://me:word@127.0.0.1:1' }, /must not have a user and password/],
    [{ alias: '../etc' }, /Invalid image name/],
    [{ alias: 'team/app:-' }, /is no tag/],
    [{ alias: 'team/app@sha256:12' }, /is no digest/],
    [{ alias: '' }, /alias/],
    [{ secret: 'nobody' }, /USER:PASSWORD/],
  ])('%j is refused', async (wrong, message) => {
    const asked = daemon.rest.must('POST', '/1.0/images', { source: { ...source('team/app'), ...wrong } });
    await expect(asked).rejects.toThrow(message);
    expect(registry.asked()).toEqual([]);
  });
});
