import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { LxdError } from '@lxd-ts/core';
import { WebSocket, WebSocketServer } from 'ws';
import { forwardRequest, forwardUpgrade, type Connect } from './forward.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

async function front(to: Connect): Promise<number> {
  const server = createServer((incoming, response) => void forwardRequest(incoming, response, to));
  server.on('upgrade', (incoming: IncomingMessage, socket, head: Buffer) =>
    forwardUpgrade(incoming, socket, head, to),
  );
  return listen(server);
}

const to =
  (port: number): Connect =>
  () =>
    connect(port, '127.0.0.1');

async function send(port: number, method: string, path: string, body = '') {
  const outgoing = request({ port, host: '127.0.0.1', method, path, headers: { 'If-Match': '"x"' } });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject);
  });
  outgoing.end(body);
  const reply = await answer;
  const parts: Buffer[] = [];
  for await (const part of reply as AsyncIterable<Buffer>) parts.push(part);
  return { status: reply.statusCode, headers: reply.headers, body: Buffer.concat(parts).toString() };
}

test('method, path, headers and bodies go through', async () => {
  const back = await listen(
    createServer((incoming, response) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('end', () => {
        response.writeHead(412, { ETag: '"y"', 'X-Many': ['a', 'b'] });
        response.end(
          `${incoming.method} ${incoming.url} ${incoming.headers['if-match']} ${Buffer.concat(parts).length}`,
        );
      });
    }),
  );
  const port = await front(to(back));
  const big = 'x'.repeat(3_000_000);
  const answer = await send(port, 'PUT', '/1.0/a%20b?project=p', big);
  expect(answer).toMatchObject({ status: 412, body: 'PUT /1.0/a%20b?project=p "x" 3000000' });
  expect(answer.headers).toMatchObject({ etag: '"y"', 'x-many': 'a, b' });
});

test('a websocket goes through', async () => {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) =>
    socket.on('message', (data: Buffer) => socket.send(`${data.toString()} back`)),
  );
  const port = await front(to(await listen(server)));
  const client = new WebSocket(`ws://127.0.0.1:${port}/1.0/events`);
  await new Promise((done) => client.once('open', done));
  const answer = new Promise((done) => client.once('message', (data: Buffer) => done(data.toString())));
  client.send('there and');
  expect(await answer).toBe('there and back');
  client.terminate();
});

test('nobody to ask is said with 503', async () => {
  const none = await front(() => {
    throw new LxdError('unavailable', 'nobody is there');
  });
  expect(await send(none, 'GET', '/1.0')).toMatchObject({
    status: 503,
    body: expect.stringContaining('nobody is there') as string,
  });
  const gone = await front(to(1));
  expect((await send(gone, 'GET', '/1.0')).status).toBe(503);
});
