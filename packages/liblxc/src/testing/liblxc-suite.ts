import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import type { ExecProcess, ExecRequest, Liblxc, StartRequest } from '../liblxc.ts';

/** A world in which `name` can be started by `request`. */
export interface LiblxcWorld extends AsyncDisposable {
  liblxc: Liblxc;
  /** Another object on the same containers, as after a restart of the daemon. */
  again(): Liblxc;
  request: StartRequest;
  /** A request that cannot succeed. */
  broken: StartRequest;
}

const signal = AbortSignal.timeout(600_000);
const SIGTERM = 15;

/** What holds for the real thing and for the fake. */
export function liblxcSuite(makeWorld: () => Promise<LiblxcWorld>): void {
  let world: LiblxcWorld;
  let name: string;
  const lxc = () => world.liblxc;

  const exec = (argv: string[], more: Partial<ExecRequest> = {}): Promise<ExecProcess> =>
    lxc().exec(
      {
        name,
        argv,
        environment: { PATH: '/bin:/sbin', ...more.environment },
        uid: 0,
        gid: 0,
        cwd: '/',
        ...more,
      },
      { signal },
    );
  const run = async (argv: string[], more: Partial<ExecRequest> = {}) => {
    await using process = await exec(argv, more);
    process.pipes!.stdin.end();
    const [stdout, stderr, status] = await Promise.all([
      text(process.pipes!.stdout),
      text(process.pipes!.stderr),
      process.exited,
    ]);
    return { stdout, stderr, status };
  };

  beforeAll(async () => {
    world = await makeWorld();
    name = world.request.name;
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    if (lxc().state(name) !== 'RUNNING') await lxc().start(world.request, { signal });
  });

  test('is running with an init of its own', () => {
    expect(lxc().state(name)).toBe('RUNNING');
    expect(lxc().active()).toContain(name);
    expect(lxc().initPid(name)).toBeGreaterThan(1);
    expect(lxc().version()).toMatch(/^\d+\.\d+/);
  });

  test('what does not exist is stopped', () => {
    expect(lxc().state('no-such')).toBe('STOPPED');
    expect(lxc().initPid('no-such')).toBeUndefined();
    expect(() => lxc().signalInit('no-such', SIGTERM)).toThrow(/not running/);
  });

  test('exec gives output, errors and exit status apart', async () => {
    expect(await run(['true'])).toEqual({ stdout: '', stderr: '', status: 0 });
    expect((await run(['false'])).status).toBe(1);
    expect(await run(['sh', '-c', 'echo out; echo err >&2; exit 7'])).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
      status: 7,
    });
  });

  test('an unknown command is 127', async () => {
    expect((await run(['no-such-command'])).status).toBe(127);
  });

  test('stdin is piped through, also what no buffer holds', async () => {
    const data = Buffer.alloc(8 * 1024 * 1024, 'lxd-ts ');
    await using process = await exec(['cat']);
    process.pipes!.stdin.end(data);
    let size = 0;
    for await (const chunk of process.pipes!.stdout as AsyncIterable<Buffer>) size += chunk.length;
    expect(size).toBe(data.length);
    expect(await process.exited).toBe(0);
  });

  test('exec on what does not run fails', async () => {
    await lxc().kill(name, { signal });
    await expect(exec(['true'])).rejects.toThrow(/not running/);
  });

  test('disposing kills what still runs', async () => {
    const process = await exec(['sleep', '1000']);
    await process[Symbol.asyncDispose]();
    expect(await process.exited).toBe(137);
  });

  test('a signal reaches the command', async () => {
    await using process = await exec(['sleep', '1000']);
    process.signal(SIGTERM);
    expect(await process.exited).toBe(128 + SIGTERM);
  });

  test('a terminal echoes and ends with its command', async () => {
    await using process = await exec(['cat'], { terminal: { columns: 80, rows: 24 } });
    process.terminal!.write('hello\n');
    let seen = '';
    process.terminal!.on('data', (data: Buffer) => (seen += data.toString()));
    while (!seen.includes('hello')) await sleep(5);
    const ended = once(process.terminal!, 'end');
    process.terminal!.write('\x04');
    await ended;
    expect(await process.exited).toBe(0);
  });

  test('freezes and thaws', async () => {
    await lxc().freeze(name, { signal });
    expect(lxc().state(name)).toBe('FROZEN');
    await lxc().unfreeze(name, { signal });
    expect(lxc().state(name)).toBe('RUNNING');
  });

  test('is killed, also when frozen, and may be killed twice', async () => {
    await lxc().freeze(name, { signal });
    await lxc().kill(name, { signal });
    expect(lxc().state(name)).toBe('STOPPED');
    expect(lxc().active()).not.toContain(name);
    await lxc().kill(name, { signal });
  });

  test('tells when init is gone, to a later object too', async () => {
    const gone = Promise.withResolvers<string>();
    using _watch = world.again().onInitExit(name, () => gone.resolve('gone'));
    expect(world.again().state(name)).toBe('RUNNING');
    await lxc().kill(name, { signal });
    expect(await gone.promise).toBe('gone');
  });

  test('a watch that was ended stays silent', async () => {
    let told = 0;
    const watch = lxc().onInitExit(name, () => (told += 1));
    watch[Symbol.dispose]();
    await lxc().kill(name, { signal });
    await sleep(20);
    expect(told).toBe(0);
  });

  test('a start that fails says why and leaves nothing', async () => {
    await expect(lxc().start(world.broken, { signal })).rejects.toThrow(
      `Failed to start "${world.broken.name}"`,
    );
    expect(lxc().state(world.broken.name)).toBe('STOPPED');
    expect(lxc().active()).not.toContain(world.broken.name);
  });
}
