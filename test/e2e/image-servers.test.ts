import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeBusyboxImage } from '../support/busybox.ts';
import { ownClient, stockClient, type Client } from '../support/client.ts';
import { lxdTs } from '../support/daemon.ts';
import { freePort } from '../support/free-port.ts';
import { makeTemporary } from '../support/ground.ts';
import { HostDaemon } from '../support/host-daemon.ts';
import { serveImages, type ImageServer } from '../support/image-server.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(120_000);

interface Image {
  fingerprint: string;
  cached: boolean;
  auto_update: boolean;
  aliases: { name: string }[];
  properties: Record<string, string>;
  update_source?: Record<string, string>;
}

/** Images from a simplestreams tree over HTTPS, by both clients. */
describe('servers of images', () => {
  let dir: string;
  let server: ImageServer;
  let daemon: HostDaemon;
  let clients: Record<'lxd-ts' | 'lxc', Client>;

  const must = async (client: Client, ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await client(args);
    if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const images = async (): Promise<Image[]> =>
    (await daemon.rest.must('GET', '/1.0/images?recursion=1')).metadata as Image[];
  const image = async (fingerprint: string): Promise<Image | undefined> =>
    (await images()).find((one) => one.fingerprint === fingerprint);
  const clear = async () => {
    for (const url of (await daemon.rest.must('GET', '/1.0/instances')).metadata as string[]) {
      await daemon.rest.call('PUT', `${url}/state`, { action: 'stop', force: true });
      await daemon.rest.must('DELETE', url);
    }
    for (const { fingerprint } of await images())
      await daemon.rest.must('DELETE', `/1.0/images/${fingerprint}`);
    server.asked.length = 0;
  };
  const source = (alias: string) => ({ type: 'image', protocol: 'simplestreams', server: server.url, alias });
  const files = (): string[] => readdirSync(join(daemon.dir, 'images')).sort();

  beforeAll(async () => {
    dir = makeTemporary('image-servers');
    server = await serveImages(dir, makeBusyboxImage(join(dir, 'image')));
    process.env['SSL_CERT_FILE'] = server.certificate;
    daemon = new HostDaemon(join(dir, 'server'));
    await daemon.start();
    await daemon.rest.must('POST', '/1.0/storage-pools', { name: 'default', driver: 'dir' });
    await daemon.rest.must('PUT', '/1.0/profiles/default', {
      devices: { root: { type: 'disk', path: '/', pool: 'default' } },
    });
    clients = {
      'lxd-ts': ownClient(lxdTs, daemon.dir, join(dir, 'own')),
      lxc: stockClient(daemon.dir, join(dir, 'stock')),
    };
  });
  afterAll(async () => {
    try {
      await clear();
      await daemon.rest.must('PUT', '/1.0/profiles/default', { devices: {} });
      await daemon.rest.must('DELETE', '/1.0/storage-pools/default');
      expect(files()).toEqual([]);
    } finally {
      await daemon.end('SIGTERM');
      await server[Symbol.asyncDispose]();
      delete process.env['SSL_CERT_FILE'];
      rmSync(dir, { recursive: true });
    }
  });
  beforeEach(clear);

  describe.each(['lxd-ts', 'lxc'] as const)('%s', (name) => {
    const run = (...args: string[]) => must(clients[name], ...args);

    beforeAll(() => run('remote', 'add', 'pictures', server.url, '--protocol', 'simplestreams', '--public'));

    test('lists what there is', async () => {
      const listed = JSON.parse(await run('image', 'list', 'pictures:', '--format', 'json')) as Image[];
      const named = listed.find(({ aliases }) => aliases.some((alias) => alias.name === 'busybox/1'));
      expect(named).toMatchObject({
        public: true,
        architecture: 'x86_64',
        type: 'container',
        created_at: '2026-01-01T00:00:00Z',
        properties: {
          description: 'Busybox 1 amd64 (20260101_0102)',
          os: 'Busybox',
          release: 'one',
          serial: '20260101_0102',
          type: 'squashfs',
          variant: 'default',
        },
      });
      expect(named?.aliases.map((alias) => alias.name)).toEqual([
        'busybox/1',
        'busybox/1/amd64',
        'busybox',
        'busybox/amd64',
      ]);
      expect(await run('image', 'info', 'pictures:busybox')).toContain(`Fingerprint: ${named?.fingerprint}`);
      expect(await run('image', 'alias', 'list', 'pictures:', '--format', 'csv')).toMatch(
        /^busybox\/1\/amd64,/m,
      );
      expect(await clients[name](['image', 'info', 'pictures:nope'])).toMatchObject({ code: 1 });
    });

    test('launches an image, which is kept for the next', async () => {
      await run('launch', 'pictures:busybox/1', 'c1');
      expect(await run('exec', 'c1', '--', 'cat', '/etc/version')).toBe('20260101_0102\n');
      const [kept] = await images();
      expect(kept).toMatchObject({
        cached: true,
        auto_update: true,
        update_source: { server: server.url, protocol: 'simplestreams', alias: 'busybox/1' },
      });
      const asked = server.asked.length;
      await run('init', `pictures:${kept?.fingerprint.slice(0, 12) ?? ''}`, 'c3');
      expect(server.asked.slice(asked).filter((path) => !path.startsWith('/streams'))).toEqual([]);
      // What is kept up to date is not even asked for.
      const body = { name: 'c2', source: source('busybox/1') };
      server.asked.length = 0;
      await daemon.rest.must('POST', '/1.0/instances', body);
      expect(server.asked).toEqual([]);
    });

    test('imports from an address that says which image it is', async () => {
      await run('image', 'import', `${server.url}/pointer`, '--alias', 'pointed');
      expect(await images()).toMatchObject([{ aliases: [{ name: 'pointed' }], cached: false }]);
      for (const [path, message] of [
        ['wrong', /match/],
        ['nothing', /Missing LXD-Image-Hash header/],
      ] as const) {
        const refused = await clients[name](['image', 'import', `${server.url}/pointer/${path}`]);
        expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(message)]);
      }
      expect(files()).toHaveLength(1);
    });

    test('copies an image that is one file, under names of its own', async () => {
      await run('image', 'copy', 'pictures:whole', 'local:', '--alias', 'mine');
      const [copied] = await images();
      expect(copied).toMatchObject({ cached: false, public: false, aliases: [{ name: 'mine' }] });
      expect(await run('image', 'refresh', 'mine')).toMatch(/already up to date/);
      await run('image', 'copy', 'pictures:busybox', 'local:', '--copy-aliases');
      const names = (await images()).flatMap(({ aliases }) => aliases.map((alias) => alias.name));
      if (name === 'lxc') expect(names).toContain('busybox/1');
      expect(await clients[name](['image', 'copy', 'pictures:nope', 'local:'])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("The requested image couldn't be found") as string,
      });
    });
  });

  test('twenty that need one image at once: one download, one unpacking', async () => {
    const create = (i: number) =>
      daemon.rest.must('POST', '/1.0/instances', { name: `m${i}`, source: source('busybox') });
    await Promise.all(Array.from({ length: 20 }, (_, i) => create(i)));
    const asked = server.asked.filter((path) => !path.startsWith('/streams'));
    expect(asked.sort()).toEqual([
      '/images/busybox/20260101_0102/lxd.tar.xz',
      '/images/busybox/20260101_0102/root.squashfs',
    ]);
    expect(await images()).toHaveLength(1);
  });

  test('a download that breaks off goes on where it was', async () => {
    server.breakAfter(300_000);
    await daemon.rest.must('POST', '/1.0/images', { source: source('busybox') });
    expect(server.asked.filter((path) => path.includes('root.squashfs'))).toEqual([
      '/images/busybox/20260101_0102/root.squashfs',
      '/images/busybox/20260101_0102/root.squashfs bytes=300000-',
    ]);
    expect(await images()).toHaveLength(1);
  });

  test('other bytes than those that were promised are not taken', async () => {
    const file = join(dir, 'tree/images/busybox/20260101_0102/root.squashfs');
    const bytes = readFileSync(file);
    const wrong = Buffer.from(bytes);
    wrong.writeUInt32LE(0x1234, 4000);
    writeFileSync(file, wrong);
    const asked = daemon.rest.must('POST', '/1.0/images', { source: source('busybox') });
    await expect(asked).rejects.toThrow(/fingerprint doesn't match/);
    expect(files()).toEqual([]);
    // Nor one that ends too early, however often it is asked for.
    writeFileSync(file, bytes.subarray(0, bytes.length - 10));
    await expect(daemon.rest.must('POST', '/1.0/images', { source: source('busybox') })).rejects.toThrow(
      /Failed to download/,
    );
    writeFileSync(file, bytes);
    expect([files(), await images()]).toEqual([[], []]);
    expect((await daemon.rest.must('POST', '/1.0/images', { source: source('busybox') })).status).toBe(202);
  });

  test('a daemon that is killed in the middle leaves nothing of it', async () => {
    server.stallAfter(300_000);
    const asked = daemon.rest
      .must('POST', '/1.0/images', { source: source('busybox') })
      .catch(() => undefined);
    await waitFor(
      'the download to begin',
      () => Promise.resolve(files()),
      (found) => found.some((file) => file.endsWith('.rootfs')),
    );
    await daemon.end('SIGKILL');
    await asked;
    await daemon.start();
    expect([files(), await images()]).toEqual([[], []]);
    await daemon.rest.must('POST', '/1.0/images', { source: source('busybox') });
    expect(await images()).toHaveLength(1);
  });

  test('what the server has not, another place that it names has', async () => {
    const [index, pictures] = [join(dir, 'tree/streams/v1/index.json'), join(dir, 'tree/images')];
    const told = readFileSync(index, 'utf8');
    const mirrors = [`${server.url}/nothing`, `${server.url}/mirror`];
    writeFileSync(index, JSON.stringify({ ...(JSON.parse(told) as object), mirrors }));
    mkdirSync(join(dir, 'tree/mirror'));
    renameSync(pictures, join(dir, 'tree/mirror/images'));
    try {
      // Its list is known under the other spelling of its address.
      const elsewhere = { ...source('busybox'), server: `${server.url}/` };
      await daemon.rest.must('POST', '/1.0/images', { source: elsewhere });
      expect(server.asked.filter((path) => path.includes('root.squashfs'))).toEqual([
        '/images/busybox/20260101_0102/root.squashfs',
        '/nothing/images/busybox/20260101_0102/root.squashfs',
        '/mirror/images/busybox/20260101_0102/root.squashfs',
      ]);
    } finally {
      renameSync(join(dir, 'tree/mirror/images'), pictures);
      writeFileSync(index, told);
    }
  });

  test('a newer version takes the place of the old one when it is asked for', async () => {
    const lxc = clients['lxd-ts'];
    await must(lxc, 'image', 'copy', 'pictures:busybox', 'local:', '--alias', 'bb', '--auto-update');
    const [old] = await images();
    await daemon.rest.must('PATCH', `/1.0/images/${old?.fingerprint}`, { public: true });
    const second = server.publish('20260202_0102');
    // What is known of the server is a moment old at most.
    await new Promise((done) => setTimeout(done, 1_100));
    expect(await must(lxc, 'image', 'refresh', 'bb')).toContain('refreshed successfully');
    expect(await image(second)).toMatchObject({
      aliases: [{ name: 'bb' }],
      auto_update: true,
      public: true,
      properties: { serial: '20260202_0102' },
    });
    expect(files()).toEqual([second, `${second}.rootfs`]);

    await must(lxc, 'launch', 'bb', 'c1');
    expect(await must(lxc, 'exec', 'c1', '--', 'cat', '/etc/version')).toBe('20260202_0102\n');
  });

  test('a newer version comes as what differs, and whole where that does not make it', async () => {
    await daemon.rest.must('POST', '/1.0/images', { source: source('busybox') });
    const third = server.publish('20260303_0102', '20260202_0102');
    const elsewhere = { ...source('busybox'), server: `${server.url}//` };
    server.asked.length = 0;
    await daemon.rest.must('POST', '/1.0/images', { source: elsewhere });
    const rootOf = () =>
      server.asked.filter((path) => /root\./.test(path)).map((path) => path.split('/').at(-1));
    expect(rootOf()).toEqual(['root.delta.vcdiff']);
    expect((await image(third))?.properties).toMatchObject({ serial: '20260303_0102' });
    expect(files()).toHaveLength(4);
    await must(clients['lxd-ts'], 'launch', third, 'c1');
    expect(await must(clients['lxd-ts'], 'exec', 'c1', '--', 'cat', '/etc/version')).toBe('20260303_0102\n');

    const fourth = server.publish('20260404_0102', '20260303_0102');
    writeFileSync(join(dir, 'tree/images/busybox/20260404_0102/root.delta.vcdiff'), 'no delta');
    server.asked.length = 0;
    await daemon.rest.must('POST', '/1.0/images', { source: { ...elsewhere, server: `${server.url}///` } });
    expect([...new Set(rootOf())]).toEqual(['root.delta.vcdiff', 'root.squashfs']);
    expect(files()).toContain(`${fourth}.rootfs`);
  });

  test('the server is one itself, for what is public', async () => {
    const port = await freePort();
    const { lxc } = clients;
    const url = `https://127.0.0.1:${port}`;
    await daemon.rest.must('PUT', '/1.0', { config: { 'core.https_address': `127.0.0.1:${port}` } });
    const at = join(dir, 'tree/images/busybox/20260101_0102');
    const parts = [join(at, 'lxd.tar.xz'), join(at, 'root.squashfs')];
    await must(lxc, 'image', 'import', ...parts, '--alias', 'split/one', '--public');
    await must(lxc, 'image', 'import', join(dir, 'image/unified.tar.gz'), '--alias', 'whole', '--public');
    await must(lxc, 'image', 'import', join(at, 'lxd.tar.xz'), join(at, 'root.tar.xz'), '--alias', 'hidden');
    const environment = { SSL_CERT_FILE: join(daemon.dir, 'server.crt') };
    const ask = async (...args: string[]) => {
      const { code, stdout, stderr } = await lxc(args, { environment });
      if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
      return stdout;
    };
    await ask('remote', 'add', 'face', url, '--protocol', 'simplestreams', '--public');
    expect(
      (await ask('image', 'alias', 'list', 'face:', '-f', 'csv'))
        .split('\n')
        .map((line) => line.split(',')[0]),
    ).toEqual(['split/one', 'split/one/amd64', 'whole', 'whole/amd64', '']);
    // The client checks every file, and the fingerprint of all.
    for (const [name, files] of [
      ['split/one', ['metadata.tar', 'rootfs.squashfs']],
      ['whole', ['unified.tar']],
    ] as const) {
      const to = mkdtempSync(join(dir, 'exported-'));
      await ask('image', 'export', `face:${name}`, `${to}/`);
      expect(readdirSync(to).sort()).toEqual(files);
      if (files.length > 1)
        expect(readFileSync(join(to, 'rootfs.squashfs'))).toEqual(readFileSync(join(at, 'root.squashfs')));
    }
    const hidden = (await images()).find(({ aliases }) => aliases.some(({ name }) => name === 'hidden'));
    const refused = await lxc(['image', 'info', `face:${hidden?.fingerprint}`], { environment });
    expect(refused.code).toBe(1);
    await daemon.rest.must('PUT', '/1.0', { config: {} });
  });

  test.each([
    [{ server: 'http://127.0.0.1:1' }, /must be https/],
    [{ protocol: 'ftp' }, /Unsupported protocol: ftp/],
    [{ alias: '' }, /alias or fingerprint/],
    [{ type: 'url', url: '' }, /Missing URL/],
    [{ type: 'url', url: 'ftp://x' }, /must begin with https/],
  ])('%j is refused', async (wrong, message) => {
    const asked = daemon.rest.must('POST', '/1.0/images', { source: { ...source('busybox'), ...wrong } });
    await expect(asked).rejects.toThrow(message);
    expect(server.asked).toEqual([]);
  });
});
