import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { WebSocketServer, type WebSocket } from 'ws';
import { EventHub } from '../features/events/hub.ts';
import { joinEvents } from '../features/events/mesh.ts';
import { ask, peerOf, taggedUuid, type Peer } from './peers.ts';

const uuid = '11111111-2222-4333-8444-555555555555';

test("an operation's id says whose it is", () => {
  const peer = (name: string): Peer => ({ name, connect: () => connect(1) });
  const peers = { reachable: () => [peer('n2'), peer('n3')] };
  const id = taggedUuid('n3', uuid);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(peerOf(peers, 'n1', id)?.name).toBe('n3');
  expect(peerOf(peers, 'n3', id)).toBeUndefined();
  expect(peerOf({ reachable: () => [peer('n2')] }, 'n1', id)).toBeUndefined();
});

test('what happens on one server is heard on another, once', async () => {
  const clock = { now: () => new Date() };
  const [one, two] = [new EventHub(clock, 'n1'), new EventHub(clock, 'n2')];
  const back = createServer();
  const sockets = new WebSocketServer({ server: back });
  sockets.on('connection', (socket) => one.addServer(socket));
  await new Promise<void>((done) => back.listen(0, '127.0.0.1', done));
  const { port } = back.address() as AddressInfo;
  const heard: string[] = [];
  const listener = {
    on: () => undefined,
    once: () => undefined,
    send: (text: string) => heard.push(text),
    bufferedAmount: 0,
  };
  two.add(listener as unknown as WebSocket, new Set(['lifecycle']), undefined);
  const mesh = joinEvents(two, {
    reachable: () => [{ name: 'n1', connect: () => connect(port, '127.0.0.1') }],
  });
  await once(sockets, 'connection');
  one.lifecycle({ action: 'instance-started', source: '/1.0/instances/c1', project: 'default' });
  while (heard.length === 0) await new Promise((done) => setTimeout(done, 5));
  expect(heard.map((text) => JSON.parse(text) as unknown)).toMatchObject([
    { type: 'lifecycle', location: 'n1', project: 'default', metadata: { action: 'instance-started' } },
  ]);
  mesh[Symbol.dispose]();
  one.close();
  back.closeAllConnections();
  back.close();
});

test('a peer that does not answer is said so', async () => {
  await expect(ask({ name: 'n2', connect: () => connect(1, '127.0.0.1') }, '/x', 1000)).rejects.toMatchObject(
    {
      code: 'unavailable',
      message: 'Member "n2" does not answer',
    },
  );
});
