import { spawn } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Result, RunOptions } from './client.ts';
import { prepareGround, type Ground } from './ground.ts';
import type { TestServer } from './server.ts';
import { waitFor } from './wait-for.ts';

export interface Life {
  title: string;
  start(dir: string): Promise<TestServer>;
  client(serverDir: string, home: string): Client;
  /** Attached to a console it ends with what it was asked to do; the stock client ends with the console, which may fail it. */
  endsWithWork?: true;
  /** Makes pool, bridge and default profile. */
  init(server: TestServer): Promise<void>;
  /** The client as argv and environment, for what is talked to while it runs. */
  spawn(
    serverDir: string,
    home: string,
    args: readonly string[],
  ): { argv: string[]; environment: Record<string, string> };
}

interface Row {
  name: string;
  status: string;
  type: string;
  config: Record<string, string>;
  profiles: string[];
}

/** A client's whole life with one server, as a user leads it. The stock client does this with real LXD too. */
export function describeLife(life: Life): void {
  describe(life.title, () => {
    let ground: Ground;
    let lxc: Client;
    let home: string;

    const must = async (args: readonly string[], options?: RunOptions): Promise<Result> => {
      const result = await lxc(args, options);
      if (result.code !== 0)
        throw new Error(`${args.join(' ')}: ${result.code}\n${result.stdout}${result.stderr}`);
      return result;
    };
    const text = async (args: readonly string[], options?: RunOptions) => (await must(args, options)).stdout;
    const rows = async (filter = ''): Promise<Row[]> =>
      JSON.parse(await text(['list', filter, '--format', 'json'])) as Row[];
    const status = async (name: string) => (await rows(`^${name}$`))[0]?.status;

    beforeAll(async () => {
      ground = await prepareGround('life', (dir) => life.start(dir));
      home = join(ground.dir, 'home');
      lxc = life.client(ground.server.dir, home);
      await life.init(ground.server);
    });

    afterAll(async () => {
      await ground.clear();
    });

    test('shows what init made', async () => {
      expect(await text(['storage', 'list'])).toMatch(/\| default +\| btrfs +\|/);
      expect(await text(['network', 'list'])).toMatch(/\| lxdbr0 +\| bridge +\| YES +\|/);
      expect(await text(['profile', 'show', 'default'])).toMatch(/root:[^]*pool: default/);
      expect(await text(['info'])).toMatch(/api_status: stable/);
    });

    test('imports images in both forms, aliases, shows, exports and deletes them', async () => {
      expect(await text(['image', 'import', ground.image.unified, '--alias', 'busybox'])).toMatch(
        /fingerprint: [0-9a-f]{64}/,
      );
      await must(['image', 'import', ground.image.metadata, ground.image.rootfs, '--alias', 'split']);
      expect(await text(['image', 'list'])).toMatch(/\| busybox +\| [0-9a-f]{12} \| no +\|/);
      expect(await text(['image', 'info', 'split'])).toMatch(/Architecture: x86_64/);
      expect(await text(['image', 'show', 'split'])).toMatch(/description: Busybox for tests/);
      await must(['image', 'set-property', 'split', 'note', 'mine']);
      expect(await text(['image', 'get-property', 'split', 'note'])).toBe('mine\n');
      await must(['image', 'unset-property', 'split', 'note']);
      const gone = await lxc(['image', 'get-property', 'split', 'note']);
      expect([gone.code, gone.stderr]).toEqual([1, expect.stringMatching(/Property .*not found/)]);
      expect(await text(['image', 'get-property', 'split', 'os'])).toBe('busybox\n');
      const exported = join(ground.dir, 'exported');
      await must(['image', 'export', 'busybox', exported]);
      expect(readFileSync(`${exported}.tar.gz`).equals(readFileSync(ground.image.unified))).toBe(true);
      await must([
        'image',
        'alias',
        'create',
        'second',
        (await text(['image', 'list', 'split', '-c', 'F', '-f', 'csv'])).trim(),
      ]);
      expect(await text(['image', 'alias', 'list', '-f', 'csv'])).toMatch(/^second,/m);
      await must(['image', 'alias', 'delete', 'second']);
      await must(['image', 'delete', 'split']);
      const again = await lxc(['image', 'import', ground.image.unified]);
      expect(again.code).toBe(1);
      expect(again.stderr).toMatch(/already exists/);
    });

    test('launches, and lists with an address', async () => {
      expect(await text(['launch', 'busybox', 'c1'])).toMatch(/Starting c1/);
      const listed = await waitFor(
        'address',
        () => text(['list', 'c1']),
        (table) => table.includes('(eth0)'),
      );
      expect(listed).toMatch(/\| c1 +\| RUNNING \| \d+\.\d+\.\d+\.\d+ \(eth0\) +\|.*\| CONTAINER +\| 0 +\|/);
      expect(await text(['list', '-c', 'nst', '-f', 'csv'])).toBe('c1,RUNNING,CONTAINER\n');
      const info = await text(['info', 'c1']);
      expect(info).toMatch(/Status: RUNNING/);
      expect(info).toMatch(/eth0:/);
      await must(['init', 'busybox', 'c2', '-c', 'user.colour=red']);
      expect(await status('c2')).toBe('Stopped');
    });

    test('executes: output, exit codes, environment, directory, user', async () => {
      expect(
        await must(['exec', 'c1', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3']).catch(String),
      ).toMatch(/: 3\nout\nerr/);
      expect((await lxc(['exec', 'c1', '--', 'true'])).code).toBe(0);
      expect((await lxc(['exec', 'c1', '--', 'not-there'])).code).toBe(127);
      expect((await lxc(['exec', 'c1', '--', 'sh', '-c', 'kill -9 $$'])).code).toBe(137);
      const args = ['--env', 'A=b c', '--cwd', '/tmp', '--user', '65534'];
      expect(await text(['exec', 'c1', ...args, '--', 'sh', '-c', 'echo $A $PWD $(id -u) $HOME'])).toMatch(
        /^b c \/tmp 65534/,
      );
      expect(await text(['exec', 'c1', '--', 'sh', '-c', 'echo $0 $(tty)'])).toMatch(/not a tty/);
    });

    test('executes in a terminal', async () => {
      const result = await lxc(
        ['exec', 'c1', '--', 'sh', '-c', 'tty; stty size; echo ready; read line; echo "got $line"; exit 5'],
        {
          tty: true,
          input: 'hello\r',
        },
      );
      expect(result.stdout).toMatch(/\/dev\/pts\/\d+[^]*got hello/);
      expect(result.code).toBe(5);
    });

    test('pipes much standard input through', async () => {
      const input = Buffer.alloc(8_000_000, 'lxd-ts: a line of input, or two\n');
      const { stdout } = await must(['exec', 'c1', '--', 'md5sum'], { input });
      const { createHash } = await import('node:crypto');
      expect(stdout.split(' ')[0]).toBe(createHash('md5').update(input).digest('hex'));
      const back = await must(['exec', 'c1', '--', 'cat'], { input });
      expect(back.stdout.length).toBe(input.length);
    });

    test('attaches to the console and detaches', async () => {
      const { argv, environment } = life.spawn(ground.server.dir, home, ['console', 'c1']);
      const child = spawn('script', ['-qefc', argv.join(' '), '/dev/null'], {
        env: { ...process.env, ...environment, TERM: 'xterm' },
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      let seen = '';
      child.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
      const over = new Promise<number | null>((done) => child.once('close', done));
      try {
        await waitFor(
          'console',
          () => Promise.resolve(seen),
          (output) => output.includes('detach'),
        );
        child.stdin.write('\r');
        // A shell is started by the first enter.
        await waitFor(
          'shell',
          () => {
            child.stdin.write('echo con$((40+2))sole\r');
            return sleep(300, seen);
          },
          () => seen.includes('con42sole'),
        );
        // The stock client takes a key at a time.
        child.stdin.write('\x01');
        await sleep(300);
        child.stdin.write('q');
        expect(await over).toBe(0);
      } finally {
        child.kill('SIGKILL');
      }
      expect(await text(['console', 'c1', '--show-log'])).toMatch(/con42sole/);
    });

    test('changes state: stop, start, restart, pause', async () => {
      await must(['stop', 'c1', '--force']);
      expect(await status('c1')).toBe('Stopped');
      const second = await lxc(['stop', 'c1']);
      expect(second.code).toBe(1);
      expect(second.stderr).toMatch(/already stopped/);
      await must(['start', 'c1']);
      const started = await lxc(['start', 'c1']);
      expect(started.code).toBe(1);
      expect(started.stderr).toMatch(/already running/);
      const shown = await lxc(['stop', 'c1', '--console'], { tty: true });
      expect(shown.stdout).toContain('detach from the console');
      if (life.endsWithWork) expect([shown.code, await status('c1')]).toEqual([0, 'Stopped']);
      await waitFor(
        'the stop',
        () => status('c1'),
        (now) => now === 'Stopped',
      );
      await must(['start', 'c1']);
      const pid = await text(['list', 'c1', '-c', 'p', '-f', 'csv']);
      await must(['restart', 'c1', '--force']);
      expect(await text(['list', 'c1', '-c', 'p', '-f', 'csv'])).not.toBe(pid);
      await must(['pause', 'c1']);
      expect(await status('c1')).toBe('Frozen');
      await must(['start', 'c1']);
      expect(await status('c1')).toBe('Running');
    });

    test('pushes, pulls, edits and deletes files', async () => {
      const tree = join(ground.dir, 'tree');
      mkdirSync(join(tree, 'sub'), { recursive: true });
      writeFileSync(join(tree, 'plain'), 'plain\n', { mode: 0o640 });
      writeFileSync(join(tree, 'sub/run'), '#!/bin/sh\necho ran\n', { mode: 0o755 });
      symlinkSync('/etc/passwd', join(tree, 'link'));
      for (const running of [true, false]) {
        if (!running) await must(['stop', 'c1', '--force']);
        const into = `c1/srv/${running ? 'up' : 'down'}`;
        await must(['file', 'push', '-r', '-p', tree, into]);
        await must(['file', 'push', join(tree, 'plain'), `${into}/renamed`, '--mode', '0600', '--uid', '7']);
        await must(['file', 'push', '-', `${into}/piped`], { input: 'piped\n' });
        await must(['file', 'edit', `${into}/renamed`], {
          tty: true,
          environment: { EDITOR: 'sed -i s/plain/edited/', VISUAL: '' },
        });
        expect(await text(['file', 'pull', `${into}/renamed`, '-'])).toBe('edited\n');
        expect(await text(['file', 'pull', `${into}/piped`, '-'])).toBe('piped\n');
        const back = join(ground.dir, `back-${String(running)}`);
        mkdirSync(back);
        await must(['file', 'pull', '-r', `${into}/tree`, back]);
        await must(['file', 'pull', `${into}/renamed`, `${into}/piped`, back]);
        expect(readFileSync(join(back, 'tree/sub/run'), 'utf8')).toBe('#!/bin/sh\necho ran\n');
        expect(lstatSync(join(back, 'tree/plain')).mode & 0o777).toBe(0o640);
        expect(readlinkSync(join(back, 'tree/link'))).toBe('/etc/passwd');
        expect(readdirSync(back).sort()).toEqual(['piped', 'renamed', 'tree']);
        await must(['file', 'delete', `${into}/piped`]);
        for (const words of [
          ['file', 'pull', `${into}/piped`, '-'],
          ['file', 'delete', `${into}/tree`],
          ['file', 'pull', `${into}/tree`, back],
          ['file', 'push', join(tree, 'plain'), `${into}/none/x`],
        ]) {
          expect([words, (await lxc(words)).code]).toEqual([words, 1]);
        }
      }
      await must(['start', 'c1']);
      const seen = await text([
        'exec',
        'c1',
        '--',
        'sh',
        '-c',
        'cd /srv; down/tree/sub/run; stat -c %a:%u:%g */renamed up',
      ]);
      expect(seen).toBe('ran\n600:7:0\n600:7:0\n755:0:0\n');
    });

    test('sets, shows, gets, unsets and edits configuration', async () => {
      await must(['config', 'set', 'c1', 'user.name=value with words', 'limits.memory=64MiB']);
      expect(await text(['config', 'get', 'c1', 'user.name'])).toBe('value with words\n');
      expect(await text(['config', 'show', 'c1'])).toMatch(/^ {2}limits.memory: 64MiB$/m);
      expect(await text(['exec', 'c1', '--', 'grep', 'MemTotal', '/proc/meminfo'])).toMatch(/ 65536 kB/);
      await must(['config', 'unset', 'c1', 'user.name']);
      expect(await text(['config', 'get', 'c1', 'user.name'])).toBe('\n');
      const wrong = await lxc(['config', 'set', 'c1', 'no.such.key=1']);
      expect(wrong.code).toBe(1);
      expect(wrong.stderr).toMatch(/no\.such\.key/);
      const editor = join(ground.dir, 'editor');
      writeFileSync(editor, '#!/bin/sh\nsed -i "s/^description:.*/description: edited/" "$1"\n', {
        mode: 0o755,
      });
      await must(['config', 'edit', 'c1'], { tty: true, environment: { EDITOR: editor } });
      expect(await text(['config', 'show', 'c1'])).toMatch(/^description: edited$/m);
      const yaml = (await text(['config', 'show', 'c1'])).replace(
        'description: edited',
        'description: piped',
      );
      await must(['config', 'edit', 'c1'], { input: yaml });
      expect(await text(['config', 'show', 'c1'])).toMatch(/^description: piped$/m);
      await must(['config', 'device', 'set', 'c2', 'root', 'pool', 'default']).catch(() =>
        must(['config', 'device', 'override', 'c2', 'root']),
      );
      expect(await text(['config', 'device', 'list', 'c2'])).toBe('root\n');
      expect(await text(['config', 'get', 'c2', 'user.colour'])).toBe('red\n');
    });

    test('makes, assigns, shows and deletes profiles', async () => {
      await must(['profile', 'create', 'p1']);
      await must(['profile', 'set', 'p1', 'environment.LANGUAGE=en']);
      await must(['profile', 'add', 'c2', 'p1']);
      expect((await rows('c2'))[0]?.profiles).toEqual(['default', 'p1']);
      expect(await text(['profile', 'show', 'p1'])).toMatch(/used_by:\n- \/1\.0\/instances\/c2/);
      expect((await lxc(['profile', 'delete', 'p1'])).code).toBe(1);
      await must(['profile', 'remove', 'c2', 'p1']);
      await must(['profile', 'copy', 'p1', 'p2']);
      expect(await text(['profile', 'get', 'p2', 'environment.LANGUAGE'])).toBe('en\n');
      await must(['profile', 'delete', 'p1']);
      await must(['profile', 'delete', 'p2']);
      expect(await text(['profile', 'list'])).not.toMatch(/p1/);
    });

    test('makes, shows and deletes storage pools and networks', async () => {
      await must(['storage', 'create', 'second', 'dir']);
      expect(await text(['storage', 'show', 'second'])).toMatch(/driver: dir/);
      expect(await text(['storage', 'info', 'second'])).toMatch(/total space:/);
      await must(['launch', 'busybox', 'onsecond', '-s', 'second']);
      expect((await lxc(['storage', 'delete', 'second'])).code).toBe(1);
      await must(['delete', '--force', 'onsecond']);
      await must(['storage', 'delete', 'second']);

      await must(['network', 'create', 'testbr1', 'ipv4.address=10.77.12.1/24', 'ipv6.address=none']);
      expect(await text(['network', 'show', 'testbr1'])).toMatch(/ipv4.address: 10.77.12.1\/24/);
      await must(['network', 'set', 'testbr1', 'ipv4.nat=true']);
      expect(await text(['network', 'get', 'testbr1', 'ipv4.nat'])).toBe('true\n');
      expect(await text(['network', 'list'])).toMatch(/testbr1/);
      await must(['network', 'delete', 'testbr1']);
      expect((await lxc(['network', 'delete', 'lxdbr0'])).code).toBe(1);
      expect(await text(['network', 'list-leases', 'lxdbr0'])).toMatch(/c1/i);
    });

    test('monitors what happens', async () => {
      const { argv, environment } = life.spawn(ground.server.dir, home, ['monitor', '--type', 'lifecycle']);
      const child = spawn(argv[0] ?? '', argv.slice(1), {
        env: { ...process.env, ...environment },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let seen = '';
      child.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
      const over = new Promise((done) => child.once('close', done));
      try {
        let turn = 0;
        await waitFor(
          'event',
          async () => {
            await must(['config', 'set', 'c2', `user.turn=${++turn}`]);
            return seen;
          },
          () => seen.includes('instance-updated'),
        );
        expect(seen).toMatch(/type: lifecycle/);
      } finally {
        child.kill('SIGTERM');
        await over;
      }
    });

    test('lists and deletes operations', async () => {
      const child = lxc(['exec', 'c1', '--', 'sleep', '77']);
      // Those that ended a moment ago are listed, too.
      const operation = await waitFor(
        'operation',
        async () =>
          (
            JSON.parse(await text(['operation', 'list', '-f', 'json'])) as {
              id: string;
              description: string;
              status: string;
            }[]
          ).find(({ description, status }) => description === 'Executing command' && status === 'Running'),
        (found) => found !== undefined,
      );
      expect(await text(['operation', 'show', operation?.id ?? ''])).toMatch(/class: websocket/);
      await must(['exec', 'c1', '--', 'sh', '-c', 'kill -9 $(pidof sleep) || true']);
      await child;
      expect((await lxc(['operation', 'delete', operation?.id ?? ''])).code).toBe(1);
    });

    test('copies, renames and deletes', async () => {
      await must(['copy', 'c2', 'c3']);
      expect(await text(['config', 'get', 'c3', 'user.colour'])).toBe('red\n');
      await must(['rename', 'c3', 'c4']);
      await must(['start', 'c4']);
      const running = await lxc(['delete', 'c4']);
      expect(running.code).toBe(1);
      expect(running.stderr).toMatch(/running/);
      await must(['delete', '--force', 'c4']);
      await must(['delete', 'c2']);
      await must(['stop', 'c1', '--force']);
      await must(['delete', 'c1']);
      expect(await rows()).toEqual([]);
      const unknown = await lxc(['delete', 'c1']);
      expect(unknown.code).toBe(1);
      expect(unknown.stderr).toMatch(/not found/i);
    });
  });
}
