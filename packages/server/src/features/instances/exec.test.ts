import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import type { ExecCommand, ExecSession } from '@lxd-ts/rpc';
import { WebSocket, WebSocketServer } from 'ws';
import { drivers, fakeAgent, harness } from '../testing/harness.ts';
import { createInstance } from './create.ts';
import { startExec } from './exec.ts';
import type { InstanceExecPost } from './requests.ts';
import { instancesService } from './service.ts';

/** A command that echoes its input in capitals and ends with its input, or when it is signalled. */
function session(command: ExecCommand): ExecSession & { sizes: number[][] } {
  const exited = Promise.withResolvers<number>();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const stdin = new PassThrough();
  const sizes: number[][] = [];
  const end = (code: number) => {
    stdout.end();
    stderr.end();
    exited.resolve(code);
  };
  stdin.on('data', (chunk: Buffer) => stdout.write(chunk.toString().toUpperCase()));
  stdin.on('end', () => {
    stderr.write('bye');
    end(Number(command.command[1] ?? 0));
  });
  const common = {
    exited: exited.promise,
    signal: (signal: number) => end(128 + signal),
    resize: (columns: number, rows: number) => void sizes.push([columns, rows]),
    sizes,
    [Symbol.asyncDispose]: async () => end(137),
  };
  if (!command.terminal) return { ...common, pipes: { stdin, stdout, stderr } };
  const terminal = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      this.push(`echo ${chunk.toString()}`);
      done();
      if (chunk.toString().includes('exit')) {
        this.push(null);
        exited.resolve(4);
      }
    },
  });
  return { ...common, terminal };
}

async function setUp() {
  const commands: ExecCommand[] = [];
  const sessions: ReturnType<typeof session>[] = [];
  const fake = fakeAgent({
    exec: async (_spec, command) => {
      commands.push(command);
      const made = session(command);
      sessions.push(made);
      return made;
    },
  });
  const h = await harness({ m1: fake.agent });
  const { context } = instancesService(h.services, drivers);
  await h.finish(
    createInstance(context, {
      project: 'default',
      body: { name: 'c1', source: { type: 'none' }, config: { 'environment.FROM': 'config' } },
    }),
  );
  await h.records
    .transaction()
    .put('statuses', ['default', 'c1'], { status: 'Running', pid: 1 })
    .commit({ signal: AbortSignal.timeout(5000) });
  const start = (body: InstanceExecPost) => startExec(context, 'default', 'c1', body);

  // Real sockets: `connect` gives the client's end, the operation gets the server's.
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = new EventEmitter();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, { url }) => accepted.emit(url ?? '', socket));
  const connect = async (id: string, secret: string) => {
    const path = `/${secret}`;
    const taken = once(accepted, path);
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    const log: string[] = [];
    client.on('message', (data: Buffer, isBinary) =>
      log.push(isBinary ? data.toString() : `<${data.toString()}>`),
    );
    const closed = once(client, 'close');
    await once(client, 'open');
    h.connect(id, secret, (await taken)[0]);
    return { client, log, closed };
  };
  return {
    h,
    start,
    connect,
    commands,
    sessions,
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.terminate();
      sockets.close();
      server.close();
      await h[Symbol.asyncDispose]();
    },
  };
}

const fdsOf = (metadata: Record<string, unknown> | null) =>
  (metadata?.['fds'] ?? {}) as Record<string, string>;

describe('exec', () => {
  it('streams over four sockets, and tells the end of each by an empty text message', async () => {
    await using at = await setUp();
    const operation = await at.start({ command: ['cat', '3'], 'wait-for-websocket': true });
    const fds = fdsOf(operation.metadata);
    expect(Object.keys(fds)).toEqual(['0', '1', '2', 'control']);
    expect(operation.class).toBe('websocket');
    const [stdin, stdout, stderr] = await Promise.all(
      ['0', '1', '2', 'control'].map((fd) => at.connect(operation.id, fds[fd]!)),
    );
    stdin!.client.send(Buffer.from('hello'));
    stdin!.client.send('');
    const over = await at.h.finish(Promise.resolve(operation));
    await Promise.all([stdout!.closed, stderr!.closed]);
    expect(stdout!.log).toEqual(['HELLO', '<>']);
    expect(stderr!.log).toEqual(['bye', '<>']);
    expect(over.metadata).toMatchObject({ return: 3, interactive: false, command: ['cat', '3'] });
  });

  it('gives the environment LXD gives', async () => {
    await using at = await setUp();
    const run = async (body: InstanceExecPost) => {
      const operation = await at.start({ command: ['x'], ...body });
      await at.h.finish(Promise.resolve(operation));
      return at.commands.at(-1)!;
    };
    expect(await run({ environment: { A: 'b' } })).toMatchObject({
      environment: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        LANG: 'C.UTF-8',
        HOME: '/root',
        USER: 'root',
        FROM: 'config',
        A: 'b',
      },
      cwd: '/root',
    });
    const other = await run({ user: 1000, group: 1001, cwd: '/tmp' });
    expect(other).toMatchObject({ user: 1000, group: 1001, cwd: '/tmp' });
    expect(other.environment).not.toHaveProperty('HOME');
  });

  it('passes signals and sizes on, and lets a terminal end', async () => {
    await using at = await setUp();
    const operation = await at.start({
      command: ['sh'],
      'wait-for-websocket': true,
      interactive: true,
      width: 100,
      height: 30,
    });
    const fds = fdsOf(operation.metadata);
    expect(Object.keys(fds)).toEqual(['0', 'control']);
    const control = await at.connect(operation.id, fds['control']!);
    const terminal = await at.connect(operation.id, fds['0']!);
    control.client.send(JSON.stringify({ command: 'window-resize', args: { width: '120', height: '40' } }));
    terminal.client.send(Buffer.from('hi'));
    await once(terminal.client, 'message');
    terminal.client.send(Buffer.from('exit'));
    const over = await at.h.finish(Promise.resolve(operation));
    await terminal.closed;
    expect(at.commands[0]?.terminal).toEqual({ columns: 100, rows: 30 });
    expect(at.sessions[0]?.sizes).toEqual([[120, 40]]);
    expect(terminal.log).toEqual(['echo hi', 'echo exit', '<>']);
    expect(over.metadata).toMatchObject({ return: 4 });
  });

  it('kills the command when the control socket is lost', async () => {
    await using at = await setUp();
    const operation = await at.start({ command: ['cat'], 'wait-for-websocket': true });
    const fds = fdsOf(operation.metadata);
    const connected = await Promise.all(
      ['0', '1', '2', 'control'].map((fd) => at.connect(operation.id, fds[fd]!)),
    );
    connected[3]!.client.close();
    const over = await at.h.finish(Promise.resolve(operation));
    expect(over.metadata).toMatchObject({ return: 137 });
  });

  it('records output', async () => {
    await using at = await setUp();
    const operation = await at.start({ command: ['x', '3'], 'record-output': true });
    const over = await at.h.finish(Promise.resolve(operation));
    const log = `/1.0/instances/c1/logs/exec_${operation.id}`;
    expect(over.metadata).toEqual({ return: 3, output: { '1': `${log}.stdout`, '2': `${log}.stderr` } });
    expect(operation.class).toBe('task');
  });

  it.each([
    ['127', 'Command not found'],
    ['126', 'Command not executable'],
  ])('fails for a command that ends with %s', async (code, message) => {
    await using at = await setUp();
    await expect(at.h.finish(at.start({ command: ['x', code] }))).rejects.toThrow(message);
  });
});
