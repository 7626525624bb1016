import { PassThrough } from 'node:stream';
import type { Io } from './base/io.ts';
import { groups, registry } from './registry.ts';
import { findCommand, run } from './run.ts';

function fakeIo(env: Record<string, string> = {}): { io: Io; out: () => string; err: () => string } {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end();
  const io: Io = {
    stdin,
    stdout,
    stderr,
    env,
    stdinIsTty: false,
    stdoutIsTty: false,
    stderrIsTty: false,
    onSignal: () => () => undefined,
    now: () => new Date(0),
  };
  const read = (stream: PassThrough) => () => String(stream.read() ?? '');
  return { io, out: read(stdout), err: read(stderr) };
}

describe('the registry', () => {
  it('has every path once, and a group for every word above a command', () => {
    const paths = registry.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    for (const path of paths) {
      const words = path.split(' ');
      for (let i = 1; i < words.length; i++) expect(groups).toHaveProperty([words.slice(0, i).join(' ')]);
    }
  });

  it.each(registry.map((entry) => [entry.path, entry] as const))(
    '%s loads and describes itself',
    async (path, entry) => {
      const { default: command } = await entry.load();
      expect(command.description).toMatch(/\.$|\.\n|log$|CPU seconds|p pid|upload date\.$/);
      for (const [line] of command.examples ?? [])
        expect(line.startsWith(path.split(' ')[0] ?? '')).toBe(true);
    },
  );
});

describe('findCommand', () => {
  it.each([
    [['list', 'web'], 'list', ['web']],
    [['ls'], 'list', []],
    [['config', 'device', 'add', 'c1'], 'config device add', ['c1']],
    [['image', 'rm', 'x'], 'image delete', ['x']],
    [['-q', '--project', 'p', 'list'], 'list', ['-q', '--project', 'p']],
    [['resume', 'c1'], 'start', ['c1']],
  ])('%j', (argv, path, rest) => {
    const found = findCommand(argv);
    expect(found.entry?.path).toBe(path);
    expect(found.rest).toEqual(rest);
  });
});

describe('run', () => {
  it('shows help, of all, of a group and of a command', async () => {
    for (const [argv, shown] of [
      [[], 'launch'],
      [['config', 'device'], 'override'],
      [['exec', '--help'], 'Usage:\n  lxd-ts exec [<remote>:]<instance>'],
    ] as const) {
      const { io, out } = fakeIo();
      expect(await run([...argv], io)).toBe(0);
      expect(out()).toContain(shown);
    }
  });

  it.each([
    [['nonsense'], 'Error: unknown command "nonsense" for "lxd-ts"\n'],
    [['config', 'nonsense'], 'Error: unknown command "nonsense" for "lxd-ts config"\n'],
    [['list', '--nope'], 'Error: unknown flag: --nope\n'],
    [['list', '-f', 'foo'], 'Error: Invalid format "foo"\n'],
    [['list', 'other:'], 'Error: The remote "other" doesn\'t exist\n'],
    [['exec', 'c1'], 'Error: Invalid number of arguments\n'],
    [['list'], 'Error: Cannot reach the daemon at /nowhere/unix.socket: it is not running\n'],
  ])('%j fails with status 1', async (argv, message) => {
    const { io, err } = fakeIo({ LXD_TS_DIR: '/nowhere', LXD_DIR: '/elsewhere' });
    expect(await run(argv, io)).toBe(1);
    expect(err()).toContain(message);
  });
});
