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
  /** A second container. */
  other: StartRequest;
  /** A request that cannot succeed. */
  broken: StartRequest;
}

const signal = AbortSignal.timeout(600_000);
const SIGHUP = 1;
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

  test('passes environment, ids and directory', async () => {
    const more = { environment: { PATH: '/bin', A: 'a b' }, uid: 1000, gid: 1001, cwd: '/tmp' };
    expect((await run(['sh', '-c', 'echo $A; id -u; id -g; pwd'], more)).stdout).toBe(
      'a b\n1000\n1001\n/tmp\n',
    );
  });

  test('a request that cannot be is invalid', async () => {
    await expect(exec([])).rejects.toMatchObject({ code: 'invalid' });
    await expect(exec(['tr\0ue'])).rejects.toMatchObject({ code: 'invalid' });
    await expect(exec(['true'], { cwd: '/\0' })).rejects.toMatchObject({ code: 'invalid' });
  });

  test('runs twenty commands at once', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => run(['echo', String(i)])));
    expect(all.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}\n`));
  });

  test('what was written can be read after the end', async () => {
    await using process = await exec(['echo', 'late']);
    expect(await process.exited).toBe(0);
    await sleep(50);
    expect(await text(process.pipes!.stdout)).toBe('late\n');
  });

  test('runs two containers apart', async () => {
    await lxc().start(world.other, { signal });
    expect(lxc().active()).toEqual(expect.arrayContaining([name, world.other.name]));
    expect(lxc().initPid(world.other.name)).not.toBe(lxc().initPid(name));
    await lxc().kill(world.other.name, { signal });
    expect(lxc().state(world.other.name)).toBe('STOPPED');
    expect((await run(['true'])).status).toBe(0);
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

  test('a terminal has its size, and takes another', async () => {
    const terminal = { columns: 91, rows: 33 };
    {
      await using process = await exec(['sh', '-c', 'tty; stty size'], { terminal });
      expect(await text(process.terminal!)).toMatch(/^\/dev\/pts\/\d+\r\n33 91\r\n$/);
    }
    await using process = await exec(['sh', '-c', 'sleep 0.2; stty size'], { terminal });
    process.resize(70, 20);
    expect(await text(process.terminal!)).toBe('20 70\r\n');
  });

  test('what is typed after the end is swallowed, and costs no output', async () => {
    await using process = await exec(['echo', 'out'], { terminal: { columns: 80, rows: 24 } });
    expect(await process.exited).toBe(0);
    for (let i = 0; i < 50; i++) process.terminal!.write('x'.repeat(4096));
    expect(await text(process.terminal!)).toBe('out\r\n');
  });

  test('a terminal that nobody reads keeps nobody waiting', async () => {
    const terminal = { columns: 80, rows: 24 };
    await using first = await exec(['yes'], { terminal });
    await sleep(50);
    first.signal(SIGHUP);
    expect(await first.exited).toBe(128 + SIGHUP);
    const second = await exec(['yes'], { terminal });
    await sleep(50);
    await second[Symbol.asyncDispose]();
    expect(await second.exited).toBe(137);
  });

  test('^C interrupts, though output is stuck', async () => {
    await using process = await exec(['yes'], { terminal: { columns: 80, rows: 24 } });
    await sleep(50);
    process.terminal!.write('\x03');
    expect(await process.exited).toBe(130);
  });

  test("a console is init's", async () => {
    await using session = await lxc().console(name, { columns: 80, rows: 24 }, { signal });
    let seen = '';
    session.terminal.on('data', (data: Buffer) => (seen += data.toString()));
    session.resize(100, 30);
    session.terminal.write('\n');
    while (!seen.includes('#')) await sleep(5);
  });

  test('a frozen container lets nobody in until that is called off', async () => {
    await lxc().freeze(name, { signal });
    const abort = new AbortController();
    const request = { name, argv: ['true'], environment: {}, uid: 0, gid: 0, cwd: '/' };
    const waiting = lxc().exec(request, { signal: abort.signal });
    setTimeout(() => abort.abort(), 30);
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await lxc().unfreeze(name, { signal });
  });

  test('what does not run is not frozen', async () => {
    await expect(lxc().freeze('no-such', { signal })).rejects.toThrow(/is it running/);
  });

  test('reads and writes cgroup files', () => {
    lxc().cgroupSet(name, 'pids.max', '77');
    expect(lxc().cgroupGet(name, 'pids.max')?.trim()).toBe('77');
    expect(lxc().cgroupGet(name, 'no.such.file')).toBeUndefined();
    expect(() => lxc().cgroupSet(name, 'pids.max', 'junk')).toThrow(/refused "junk"/);
  });

  test('tells of a reboot from inside, and runs again', async () => {
    const before = lxc().initPid(name);
    const gone = Promise.withResolvers<string>();
    using _watch = lxc().onInitExit(name, () => gone.resolve('gone'));
    await run(['reboot', '-f']).catch(() => undefined);
    await gone.promise;
    while (lxc().state(name) !== 'RUNNING' || lxc().initPid(name) === before) await sleep(5);
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

  test('a start that was called off leaves nothing', async () => {
    await lxc().kill(name, { signal });
    await expect(lxc().start(world.request, { signal: AbortSignal.abort() })).rejects.toThrow();
    const abort = new AbortController();
    const starting = lxc().start(world.request, { signal: abort.signal });
    abort.abort();
    await expect(starting).rejects.toMatchObject({ name: 'AbortError' });
    expect(lxc().state(name)).toBe('STOPPED');
  });

  test('what runs is not started again', async () => {
    const before = lxc().initPid(name);
    await expect(lxc().start(world.request, { signal })).rejects.toThrow(/already running/);
    expect(lxc().initPid(name)).toBe(before);
  });

  test('a start that fails says why and leaves nothing', async () => {
    await expect(lxc().start(world.broken, { signal })).rejects.toThrow(
      `Failed to start "${world.broken.name}"`,
    );
    expect(lxc().state(world.broken.name)).toBe('STOPPED');
    expect(lxc().active()).not.toContain(world.broken.name);
  });
}
