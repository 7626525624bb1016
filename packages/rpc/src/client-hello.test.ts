import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { serverNameOf } from './client-hello.ts';

/** The first bytes that a real TLS client sends. */
async function hello(servername: string): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  const first = new Promise<Buffer>((resolve) =>
    server.once('connection', (socket: Socket) =>
      socket.once('data', (data: Buffer) => {
        socket.destroy();
        resolve(data);
      }),
    ),
  );
  const client = connect({ socket: connectTcp(port, '127.0.0.1'), servername });
  client.on('error', () => undefined);
  const bytes = await first;
  client.destroy();
  server.close();
  return bytes;
}

test('the name that a client asks for is found', async () => {
  expect(serverNameOf(await hello('control-plane'))).toEqual({ name: 'control-plane' });
});

test('no name is none', async () => {
  expect(serverNameOf(await hello(''))).toEqual({ name: undefined });
});

test('a hello in pieces is waited for', async () => {
  const whole = await hello('bulk');
  for (const length of [0, 1, 5, 6, 100, whole.length - 1]) {
    expect(serverNameOf(whole.subarray(0, length))).toBe('more');
  }
});

test('what is no hello has no name', () => {
  expect(serverNameOf(Buffer.from('GET / HTTP/1.1\r\n'))).toEqual({ name: undefined });
  expect(serverNameOf(Buffer.from([0x16, 3, 1, 0, 4, 1, 0, 0, 0]))).toEqual({ name: undefined });
  expect(serverNameOf(Buffer.from([0x16, 3, 1, 0, 4, 2, 0, 0, 0]))).toEqual({ name: undefined });
});

test('damaged lengths are survived', async () => {
  const whole = await hello('bulk');
  for (let at = 5; at < whole.length; at++) {
    const bad = Buffer.from(whole);
    bad[at] = 0xff;
    expect(() => serverNameOf(bad)).not.toThrow();
  }
});
