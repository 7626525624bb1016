import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Duplex } from 'node:stream';
import { bulkName, openBulkPort } from './bulk.ts';
import { localBulk } from './local-bulk.ts';
import { openMemberPort, splitAddress, type MemberPort } from './member-port.ts';
import { createAuthority, issue, type Authority } from './pki.ts';

const wait = { signal: AbortSignal.timeout(60_000) };
let authority: Authority;
const ports: MemberPort[] = [];

beforeAll(async () => {
  authority = await createAuthority(new Date());
});
afterAll(async () => {
  for (const port of ports) await port[Symbol.asyncDispose]();
});

async function member(name: string, by = authority) {
  const port = await openMemberPort('127.0.0.1:0');
  ports.push(port);
  const bulk = openBulkPort(
    port.address,
    await issue(by, { commonName: name, role: 'member' }, new Date(), 1),
  );
  port.route(bulkName, bulk.accept);
  return bulk;
}

/** Not by `for await`: its end would destroy the other direction too. */
function text(stream: Duplex): Promise<string> {
  const parts: Buffer[] = [];
  return new Promise((resolve, reject) => {
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.once('error', reject).once('end', () => resolve(Buffer.concat(parts).toString()));
  });
}

test('addresses', () => {
  expect(splitAddress('10.0.0.1:8443')).toEqual({ host: '10.0.0.1', port: 8443 });
  expect(splitAddress('[fd00::1]:1')).toEqual({ host: 'fd00::1', port: 1 });
  expect(splitAddress(':8443')).toEqual({ host: '', port: 8443 });
  for (const bad of ['', '10.0.0.1', '10.0.0.1:70000', 'a b:1', '::1:x']) {
    expect(() => splitAddress(bad)).toThrow('is not HOST:PORT');
  }
});

test('a taken address is told of', async () => {
  const port = await openMemberPort('127.0.0.1:0');
  ports.push(port);
  await expect(openMemberPort(port.address)).rejects.toMatchObject({ code: 'conflict' });
});

test('a connection for a name that nobody serves is closed', async () => {
  const port = await openMemberPort('127.0.0.1:0');
  ports.push(port);
  const socket = connect(port.port, '127.0.0.1');
  socket.write('hello, this is no TLS at all');
  socket.on('error', () => undefined);
  await once(socket, 'close');
});

test("what is members' own goes to nobody else", async () => {
  const port = await openMemberPort('127.0.0.1:0');
  ports.push(port);
  const taken: string[] = [];
  port.route('', (socket) => {
    taken.push('rest');
    socket.destroy();
  });
  for (const servername of ['bulk.lxd-ts', 'somebody.example']) {
    const socket = connectTls({ host: '127.0.0.1', port: port.port, servername });
    socket.on('error', () => undefined);
    await new Promise((done) => socket.once('close', done));
  }
  expect(taken).toEqual(['rest']);
});

describe.each(['between two members', 'in one process'])('bulk data %s', (where) => {
  const pair = async () => {
    if (where === 'in one process') {
      const bulk = localBulk();
      return [bulk, bulk] as const;
    }
    return [await member('n1'), await member('n2')] as const;
  };

  test('flows both ways, once', async () => {
    const [one, two] = await pair();
    const { ticket, taken } = one.offer(wait);
    const stream = await two.take(ticket, wait);
    const other = await taken;
    const big = Buffer.alloc(5_000_000, 'x').toString();
    other.end(big);
    stream.end('and back');
    const [received, back] = await Promise.all([text(stream), text(other)]);
    expect(received.length).toBe(big.length);
    expect(back).toBe('and back');
    await expect(two.take(ticket, wait)).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('an offer that was taken back is not known', async () => {
    const [one, two] = await pair();
    const controller = new AbortController();
    const { ticket, taken } = one.offer({ signal: controller.signal });
    controller.abort(new Error('not any more'));
    await expect(taken).rejects.toThrow('not any more');
    await expect(two.take(ticket, wait)).rejects.toMatchObject({ code: 'forbidden' });
  });
});

test('a stranger gets nothing, even with the token', async () => {
  const one = await member('n1');
  const stranger = await member('n3', await createAuthority(new Date()));
  const { ticket } = one.offer(wait);
  await expect(stranger.take(ticket, wait)).rejects.toMatchObject({ code: 'unavailable' });
});
