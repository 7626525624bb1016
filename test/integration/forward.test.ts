import { execFileSync } from 'node:child_process';
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join, resolve } from 'node:path';

/** The program that passes connections on for proxy devices, by itself. */
const program = resolve('packages/liblxc/build/lxd-ts-forward');
const kinds = ['tcp', 'udp', 'unix'] as const;
type Kind = (typeof kinds)[number];

let dir: string;
let streams: Server;
let local: Server;
let datagrams: Datagrams;
const targets: Record<Kind, string> = { tcp: '', udp: '', unix: '' };
const started = new Set<number>();
const port = 20_000 + (process.pid % 10_000);

const echo = (socket: Socket) => {
  socket.on('error', () => undefined);
  socket.on('data', (data: Buffer) => socket.write(`echo ${data.toString('latin1')}`, 'latin1'));
  socket.on('end', () => socket.end());
};

function start(listen: string, connect: string, ...more: string[]): number {
  const pidFile = join(dir, 'pid');
  execFileSync(
    program,
    [`id=${pidFile}`, `pidfile=${pidFile}`, `listen=${listen}`, `connect=${connect}`, ...more],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const pid = Number(readFileSync(pidFile, 'utf8').split(' ')[0]);
  started.add(pid);
  return pid;
}

/** What one client hears after it has said something. */
function ask(kind: Kind, address: { port?: number; path?: string }, text: string): Promise<string> {
  return new Promise((done, failed) => {
    if (kind === 'udp') {
      const client = createSocket('udp4');
      client.once('error', failed);
      client.once('message', (data) => {
        client.close();
        done(data.toString());
      });
      client.send(text, address.port ?? 0, '127.0.0.1');
      return;
    }
    const client =
      address.path === undefined
        ? createConnection(address.port ?? 0, '127.0.0.1')
        : createConnection(address.path);
    let heard = '';
    client.once('error', failed);
    client.on('data', (data: Buffer) => {
      heard += data.toString();
      if (heard.includes(text)) client.end();
    });
    client.once('close', () => done(heard));
    client.write(text);
  });
}

beforeAll(async () => {
  dir = mkdtempSync('/tmp/lxd-ts-forward-');
  streams = createServer({ allowHalfOpen: true }, echo);
  local = createServer({ allowHalfOpen: true }, echo);
  datagrams = createSocket('udp4', (data, from) =>
    datagrams.send(`echo ${data.toString()}`, from.port, from.address),
  );
  await Promise.all([
    new Promise<void>((done) => streams.listen(0, '127.0.0.1', done)),
    new Promise<void>((done) => local.listen(join(dir, 'target'), done)),
    new Promise<void>((done) => datagrams.bind(0, '127.0.0.1', done)),
  ]);
  targets.tcp = `tcp:127.0.0.1:${(streams.address() as AddressInfo).port}`;
  targets.udp = `udp:127.0.0.1:${datagrams.address().port}`;
  targets.unix = `unix:${join(dir, 'target')}`;
});
afterEach(() => {
  for (const pid of started) process.kill(pid, 'SIGKILL');
  started.clear();
});
afterAll(() => {
  streams.close();
  local.close();
  datagrams.close();
  rmSync(dir, { recursive: true });
});

let offset = 0;
const places = (kind: Kind) => {
  offset += 1;
  return kind === 'unix'
    ? { listen: `unix:${join(dir, 'socket')}`, address: { path: join(dir, 'socket') } }
    : { listen: `${kind}:127.0.0.1:${port + offset}`, address: { port: port + offset } };
};

test.each(kinds.flatMap((from) => kinds.map((to) => [from, to] as const)))('%s to %s', async (from, to) => {
  const { listen, address } = places(from);
  start(listen, targets[to]);
  for (const text of ['one', 'two']) expect(await ask(from, address, text)).toBe(`echo ${text}`);
});

test('it has no rights but to connect, and says who does where it is asked to', async () => {
  const { listen, address } = places('tcp');
  const pid = start(listen, targets.tcp, 'proxy=1', 'uid=65534', 'gid=65534');
  expect(await ask('tcp', address, 'hello')).toMatch(
    /^echo PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n/,
  );
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  expect(status).toMatch(/^Uid:\s+65534\s+65534/m);
  expect(status).toMatch(/^CapEff:\s+0+$/m);
  expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
});

test('an address that is taken is told, and nothing runs', () => {
  const { listen } = places('tcp');
  const first = start(listen, targets.tcp);
  expect(() => start(listen, targets.tcp)).toThrow(/Failed to listen on tcp:.*Address already in use/);
  expect(existsSync(`/proc/${first}`)).toBe(true);
});

test('a file in the way of a socket stays', () => {
  expect(() => start(`unix:${program}`, targets.tcp)).toThrow(/Failed to listen on unix/);
  expect(existsSync(program)).toBe(true);
});
