import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBusyboxImage } from '../support/busybox.ts';
import { run, type Result } from '../support/client.ts';
import { lxdTs } from '../support/daemon.ts';
import { makeTemporary } from '../support/ground.ts';
import { ownClientLife, referenceLife } from '../support/lives.ts';
import { referenceMissing, stockClientMissing } from '../support/reference.ts';
import type { TestServer } from '../support/server.ts';
import { makeUnderlay, type Underlay } from '../support/underlay.ts';

/** The remote `docker`, as it is shown in each format. */
const dockerIn = {
  table: /^\| docker .*\n\+[-+]+\n/m,
  csv: /^docker,.*\n/m,
  json: /"docker":\{[^}]*\},?/,
  yaml: /^docker:\n( .*\n)+/m,
  compact: /^ *docker .*\n/m,
};

type Kind = 'lxd-tsd' | 'real LXD';
const lives = { 'lxd-tsd': ownClientLife, 'real LXD': referenceLife };

interface Ran {
  input?: string;
  stock?: boolean;
  conf?: string;
}

const isReal = (...kinds: Kind[]): boolean => kinds.every((kind) => kind === 'real LXD');

/** The client with two servers as remotes, `a` by token and `b` by password. It runs in the network of the first. */
function describePair(first: Kind, second: Kind): void {
  describe(`remotes ${first} and ${second}`, () => {
    let dir: string;
    let conf: string;
    let underlay: Underlay;
    let a: TestServer;
    let b: TestServer;
    let fingerprint: string;

    const lxc = (args: readonly string[], { input, stock, conf: other = conf }: Ran = {}): Promise<Result> =>
      run(['nsenter', '-t', String(a.pid), '-n', '--', stock ? 'lxc' : lxdTs, ...args], {
        ...(input === undefined ? {} : { input }),
        environment: { LXD_DIR: a.dir, LXD_TS_DIR: a.dir, LXD_CONF: other, HOME: dir },
        timeoutMs: 120_000,
      });
    const text = async (args: readonly string[], options?: Ran): Promise<string> => {
      const { code, stdout, stderr } = await lxc(args, options);
      if (code !== 0) throw new Error(`${args.join(' ')}: ${code}\n${stdout}${stderr}`);
      return stdout;
    };
    const instances = async (remote: string): Promise<string[]> =>
      (await text(['list', remote, '-c', 'nsS', '-f', 'csv'])).trim().split('\n').filter(Boolean);

    beforeAll(async () => {
      dir = makeTemporary('remotes');
      conf = join(dir, 'conf');
      const image = makeBusyboxImage(join(dir, 'image'));
      underlay = await makeUnderlay();
      a = await lives[first].start(join(dir, 'a'));
      b = await lives[second].start(join(dir, 'b'));
      for (const [life, server, host] of [
        [lives[first], a, 1],
        [lives[second], b, 2],
      ] as const) {
        await life.init(server);
        const address = underlay.attach(server, host);
        await server.rest.must('PATCH', '/1.0', {
          config: { 'core.https_address': `${address}:8443`, 'core.trust_password': 'sesame' },
        });
      }
      const { metadata } = await b.rest.must('GET', '/1.0');
      fingerprint = (metadata as { environment: { certificate_fingerprint: string } }).environment
        .certificate_fingerprint;
      await text(['image', 'import', image.unified, '--alias', 'busybox']);
    });

    afterAll(async () => {
      const left = [...(await a.stopAll()), ...(await b.stopAll())];
      underlay[Symbol.dispose]();
      rmSync(dir, { recursive: true, force: true });
      expect(left).toEqual([]);
    });

    test('a token adds a server once', async () => {
      const token = (await text(['config', 'trust', 'add', '--name', 'me', '-q'])).trim();
      expect(await text(['config', 'trust', 'list-tokens', '-f', 'csv'])).toContain(token);
      await text(['remote', 'add', 'a', token]);
      expect(await text(['list', 'a:', '-f', 'csv'])).toBe('');
      expect(await text(['config', 'trust', 'list', 'a:', '-f', 'csv'])).toMatch(/^client,me,/m);
      expect(await text(['config', 'trust', 'list-tokens', '-f', 'csv'])).toBe('');

      const stranger = join(dir, 'stranger');
      const again = await lxc(['remote', 'add', 'again', token], { conf: stranger });
      expect(again.code).toBe(1);
      expect(await text(['remote', 'list', '-f', 'csv'], { conf: stranger })).not.toMatch(/^again,/m);
    });

    test('a password adds a server whose certificate is accepted', async () => {
      const refused = await lxc(['remote', 'add', 'b', '10.99.0.2', '--password', 'sesame'], {
        input: 'n\n',
      });
      expect(refused).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('Server certificate NACKed by user') as string,
      });
      const wrong = await lxc([
        'remote',
        'add',
        'b',
        '10.99.0.2',
        '--accept-certificate',
        '--password',
        'no',
      ]);
      expect(wrong.code).toBe(1);
      expect(await text(['remote', 'list', '-f', 'csv'])).not.toMatch(/^b,/m);

      const added = await text(['remote', 'add', 'b', '10.99.0.2', '--password', 'sesame'], {
        input: `${fingerprint}\n`,
      });
      expect(added).toBe(
        `Certificate fingerprint: ${fingerprint}\nok (y/n/[fingerprint])? Client certificate now trusted by server: b\n`,
      );
      expect(await text(['remote', 'list', '-f', 'csv'])).toMatch(
        /^b,https:\/\/10\.99\.0\.2:8443,lxd,tls,NO,NO,NO$/m,
      );
    });

    const withStock = stockClientMissing() === undefined ? test : test.skip;
    withStock('its directory serves the stock client, and the other way round', async () => {
      for (const format of ['table', 'csv', 'json', 'yaml', 'compact'] as const) {
        const [own, stock] = [
          await text(['remote', 'list', '-f', format]),
          await text(['remote', 'list', '-f', format], { stock: true }),
        ];
        // It knows of no registries.
        const pattern = dockerIn[format];
        expect(own).toMatch(pattern);
        expect(own.replace(pattern, '')).toBe(stock);
      }
      expect(await text(['config', 'get', 'b:', 'core.https_address'], { stock: true })).toBe(
        '10.99.0.2:8443\n',
      );
      const theirs = { conf: join(dir, 'theirs') };
      const add = ['remote', 'add', 'far', '10.99.0.2', '--accept-certificate', '--password', 'sesame'];
      await text(add, { ...theirs, stock: true });
      expect(await text(['config', 'get', 'far:', 'core.https_address'], theirs)).toBe('10.99.0.2:8443\n');
      await text(['remote', 'rename', 'far', 'near'], theirs);
      await text(['remote', 'switch', 'near'], theirs);
      expect(await text(['remote', 'get-default'], { ...theirs, stock: true })).toBe('near\n');
      expect(await text(['config', 'get', 'core.https_address'], theirs)).toBe('10.99.0.2:8443\n');
    });

    test('a server that shows another certificate is not spoken to', async () => {
      const other = join(dir, 'other');
      cpSync(conf, other, { recursive: true });
      writeFileSync(join(other, 'servercerts/b.crt'), readFileSync(join(other, 'servercerts/a.crt')));
      const { code, stderr } = await lxc(['list', 'b:'], { conf: other });
      expect([code, stderr]).toEqual([1, expect.stringContaining('Cannot trust the server')]);
      const exec = await lxc(['monitor', 'b:'], { conf: other });
      expect([exec.code, exec.stderr]).toEqual([1, expect.stringContaining('Cannot trust the server')]);
    });

    test('commands take remote:name', async () => {
      await text(['launch', 'busybox', 'a:c1']);
      expect(await instances('a:')).toEqual(['c1,RUNNING,0']);
      expect(await text(['exec', 'a:c1', '--', 'sh', '-c', 'cat; hostname'], { input: 'in\n' })).toBe(
        'in\nc1\n',
      );
      expect((await lxc(['exec', 'a:c1', '--', 'false'])).code).toBe(1);
      await text(['config', 'set', 'a:c1', 'user.note=far']);
      expect(await text(['config', 'get', 'local:c1', 'user.note'])).toBe('far\n');
      expect(await text(['query', 'a:/1.0/instances/c1'])).toContain('"user.note": "far"');
      expect((await lxc(['list', 'nowhere:'])).stderr).toBe('Error: The remote "nowhere" doesn\'t exist\n');
      const images = await lxc(['list', 'ubuntu:']);
      expect(images.stderr).toBe("Error: The remote isn't a private LXD server\n");
    });

    test('images go from server to server', async () => {
      for (const mode of ['pull', 'push', 'relay']) {
        await text(['image', 'copy', 'a:busybox', 'b:', '--mode', mode, '--copy-aliases', '--alias', mode]);
        const listed = JSON.parse(await text(['image', 'list', 'b:', '-f', 'json'])) as {
          aliases: { name: string }[];
        }[];
        expect(listed.map(({ aliases }) => aliases.map(({ name }) => name).sort())).toEqual([
          ['busybox', mode].sort(),
        ]);
        await text(['image', 'delete', 'b:busybox']);
      }
      await text(['init', 'a:busybox', 'b:from-a']);
      expect(await instances('b:')).toEqual(['from-a,STOPPED,0']);
      await text(['delete', 'b:from-a']);
    });

    test('instances are copied between servers, with and without snapshots', async () => {
      await text(['exec', 'a:c1', '--', 'sh', '-c', 'echo one > /root/file; sync']);
      await text(['snapshot', 'a:c1', 's0']);
      for (const mode of ['pull', 'push', 'relay'])
        await text(['copy', 'a:c1', `b:${mode}`, '--stateless', '--mode', mode]);
      await text(['copy', 'a:c1', 'b:', '--stateless', '--instance-only']);
      await text(['exec', 'a:c1', '--', 'sh', '-c', 'echo later > /root/file; sync']);
      await text(['copy', 'a:c1/s0', 'b:snap', '--stateless']);
      expect(await instances('b:')).toEqual([
        'c1,STOPPED,0',
        'pull,STOPPED,1',
        'push,STOPPED,1',
        'relay,STOPPED,1',
        'snap,STOPPED,0',
      ]);
      for (const name of ['pull', 'push', 'relay', 'snap']) {
        await text(['start', `b:${name}`]);
        expect(await text(['exec', `b:${name}`, '--', 'cat', '/root/file'])).toBe('one\n');
        await text(['delete', '-f', `b:${name}`]);
      }
      await text(['delete', 'b:c1']);
    });

    // Between two real LXDs only our client is tried, for which the others are enough.
    if (!isReal(first, second)) {
      test('a copy of a snapshot is what it was then, whoever goes to whom', async () => {
        for (const mode of ['pull', 'push', 'relay']) {
          await text(['copy', 'a:c1/s0', `b:${mode}`, '--stateless', '--mode', mode]);
          expect(await instances('b:')).toEqual([`${mode},STOPPED,0`]);
          await text(['start', `b:${mode}`]);
          expect(await text(['exec', `b:${mode}`, '--', 'cat', '/root/file'])).toBe('one\n');
          await text(['delete', '-f', `b:${mode}`]);
        }
      });

      const withStockRefresh = stockClientMissing() === undefined ? [false, true] : [false];
      test.each(withStockRefresh)('a copy is brought up to date (by the stock client: %s)', async (stock) => {
        const copy = (mode: string) =>
          text(['copy', 'a:c1', 'b:copy', '--stateless', '--refresh', '--mode', mode], { stock });
        const write = (note: string) =>
          text(['exec', 'a:c1', '--', 'sh', '-c', `echo ${note} > /root/file; sync`]);
        const snapshots = async () =>
          (JSON.parse(await text(['query', 'b:/1.0/instances/copy/snapshots'])) as string[])
            .map((path) => path.split('/').pop())
            .sort();
        const file = async () => {
          await text(['start', 'b:copy']);
          const found = await text(['exec', 'b:copy', '--', 'cat', '/root/file']);
          await text(['stop', '-f', 'b:copy']);
          return found;
        };
        await write('first');
        await copy('pull');
        expect(await snapshots()).toEqual(['s0']);
        for (const [mode, after] of [
          ['pull', ['pull', 's0']],
          ['push', ['pull', 'push', 's0']],
          ['relay', ['push', 'relay', 's0']],
        ] as const) {
          await write(mode);
          await text(['snapshot', 'a:c1', mode]);
          await write(`after ${mode}`);
          await text(['config', 'set', 'a:c1', `user.note=${mode}`]);
          // What is gone there goes here.
          if (mode === 'relay') await text(['delete', 'a:c1/pull']);
          await copy(mode);
          expect(await text(['config', 'get', 'b:copy', 'user.note'])).toBe(`${mode}\n`);
          expect(await snapshots()).toEqual(after);
          expect(await file()).toBe(`after ${mode}\n`);
        }
        await text(['restore', 'b:copy', 'push']);
        expect(await file()).toBe('push\n');
        await text(['delete', '-f', 'b:copy']);
        for (const name of ['push', 'relay']) await text(['delete', `a:c1/${name}`]);
      });
    }

    test('files go to and from instances of another server', async () => {
      const tree = join(dir, 'files');
      mkdirSync(join(tree, 'sub'), { recursive: true });
      writeFileSync(join(tree, 'sub/large'), Buffer.alloc(8 * 1024 * 1024, 'large'));
      await text(['init', 'a:busybox', 'b:files']);
      for (const stock of [false, true]) {
        const into = `b:files/srv/${stock ? 'stock' : 'own'}`;
        await text(['file', 'push', '-r', '-p', '-q', tree, into], { stock });
        const back = join(dir, `files-${String(stock)}`);
        mkdirSync(back);
        await text(['file', 'pull', '-r', '-q', `${into}/files`, back], { stock });
        const pulled = readFileSync(join(back, 'files/sub/large'));
        expect(pulled.equals(readFileSync(join(tree, 'sub/large')))).toBe(true);
        await text(['file', 'delete', `${into}/files/sub/large`], { stock });
        const gone = await lxc(['file', 'pull', `${into}/files/sub/large`, '-'], { stock });
        expect(gone).toMatchObject({ code: 1, stderr: 'Error: Not Found\n' });
      }
      await text(['delete', 'b:files']);
    });

    if (!isReal(first, second))
      test('volumes go from server to server, with their owners and snapshots', async () => {
        await text(['storage', 'volume', 'create', 'a:default', 'v', 'user.note=mine']);
        await text(['storage', 'volume', 'attach', 'a:default', 'v', 'c1', 'vol', '/vol']);
        await text(['exec', 'a:c1', '--', 'sh', '-c', 'echo one > /vol/file; chown 5:6 /vol/file; sync']);
        await text(['storage', 'volume', 'snapshot', 'a:default', 'v', 's0']);
        await text(['exec', 'a:c1', '--', 'sh', '-c', 'echo two > /vol/file; sync']);
        await text(['storage', 'volume', 'detach', 'a:default', 'v', 'c1', 'vol']);
        await text(['launch', 'a:busybox', 'b:other']);
        const ways: [mode: string, stock: boolean][] = [
          ['pull', stockClientMissing() === undefined],
          ['pull', false],
          ['push', false],
          ['relay', false],
        ];
        for (const [mode, stock] of ways) {
          await text(['storage', 'volume', 'copy', 'a:default/v', 'b:default/w', '--mode', mode], { stock });
          expect(await text(['storage', 'volume', 'get', 'b:default', 'w', 'user.note'])).toBe('mine\n');
          const found = JSON.parse(
            await text(['query', 'b:/1.0/storage-pools/default/volumes/custom/w/snapshots']),
          ) as string[];
          expect(found.map((path) => path.split('/').at(-1))).toEqual(['s0']);
          const seen = async (name: string) => {
            await text(['storage', 'volume', 'attach', 'b:default', name, 'other', 'vol', '/vol']);
            const script = 'cat /vol/file; stat -c "%u %g" /vol/file';
            const file = await text(['exec', 'b:other', '--', 'sh', '-c', script]);
            await text(['storage', 'volume', 'detach', 'b:default', name, 'other', 'vol']);
            await text(['storage', 'volume', 'delete', 'b:default', name]);
            return file;
          };
          await text(['storage', 'volume', 'copy', 'b:default/w/s0', 'b:default/then']);
          expect(await seen('then')).toBe('one\n5 6\n');
          expect(await seen('w')).toBe('two\n5 6\n');
        }
        await text(['storage', 'volume', 'move', 'a:default/v', 'b:default/v']);
        expect(await text(['storage', 'volume', 'list', 'a:default', 'type=custom', '-f', 'csv'])).toBe('');
        await text(['storage', 'volume', 'delete', 'b:default', 'v']);
        await text(['delete', '-f', 'b:other']);
      });

    test('a running instance moves, there and back', async () => {
      for (const [from, to] of [
        ['a', 'b'],
        ['b', 'a'],
      ]) {
        await text(['exec', `${from}:c1`, '--', 'sh', '-c', `echo ${from} > /root/file; sync`]);
        await text(['move', `${from}:c1`, `${to}:`, '--stateless']);
        expect(await instances(`${from}:`)).toEqual([]);
        expect(await instances(`${to}:`)).toEqual(['c1,RUNNING,1']);
        expect(await text(['exec', `${to}:c1`, '--', 'cat', '/root/file'])).toBe(`${from}\n`);
      }
      await text(['delete', '-f', 'a:c1']);
    });
  });
}

if (referenceMissing() === undefined) {
  describePair('real LXD', 'real LXD');
  describePair('lxd-tsd', 'real LXD');
  describePair('real LXD', 'lxd-tsd');
}
describePair('lxd-tsd', 'lxd-tsd');
