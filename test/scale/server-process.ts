import { randomUUID } from 'node:crypto';
import { openOperations } from '@lxd-ts/operations';
import { hubName, issue, openMemberPort, startAgentHub, type Authority } from '@lxd-ts/rpc';
import { createServer, listenUnix, standalone, taggedUuid } from '@lxd-ts/server';
import { openEtcdStore, openRecords } from '@lxd-ts/state';

/** A server of the control plane as the daemon composes it, without a machine of its own to run instances on. */
export interface ServerArguments {
  name: string;
  endpoints: string[];
  authority: Authority;
  /** Of its REST API. */
  socket: string;
  offlineThresholdMs: number;
}

const silent = () => undefined;

async function serve({
  name,
  endpoints,
  authority,
  socket,
  offlineThresholdMs,
}: ServerArguments): Promise<void> {
  const { signal } = new AbortController();
  const clock = { now: () => new Date() };
  const onError = (error: Error) => process.stderr.write(`${name}: ${error.message}\n`);
  const store = openEtcdStore({ endpoints, writer: name, id: randomUUID() });
  const records = await openRecords(store, { signal, onError });
  const operations = await openOperations({
    records,
    server: name,
    clustered: true,
    clock,
    uuid: () => taggedUuid(name, randomUUID()),
    onError,
  });
  const tell = (message: string, fields?: Record<string, unknown>) =>
    process.stderr.write(`${name}: ${message} ${JSON.stringify(fields ?? {})}\n`);
  const api = createServer({
    records,
    operations,
    log: { debug: silent, info: silent, warn: tell, error: tell },
    server: name,
    clock,
    uuid: randomUUID,
    info: {
      version: '0.0.0',
      certificate: () => '',
      pid: process.pid,
      clustered: true,
    },
    internal: { ready: () => true, shutdown: () => Promise.resolve() },
    cluster: { control: { ...standalone, clustered: () => true } },
    offlineThresholdMs,
  });
  const hub = startAgentHub({
    identity: await issue(authority, { commonName: hubName, role: 'server' }, clock.now(), 1),
    mayConnect: (member) => records.get('members', member) !== undefined,
    heartbeatMs: () => api.agents.heartbeatMs(),
    heard: (member) => api.agents.heard(member),
    connected: (member, agent) => void api.agents.connected(member, agent),
    disconnected: (member, agent) => api.agents.disconnected(member, agent),
    forwarded: (_member, connection) => connection.destroy(),
  });
  api.agents.drop = (agent) => hub.drop(agent);
  const port = await openMemberPort('127.0.0.1:0');
  port.route(hubName, hub.accept);
  void api.lead(store, { signal });
  const listener = await listenUnix(socket, undefined);
  listener.serve(api.http);
  process.on('message', (message) => {
    if (message === 'online') process.send?.({ online: api.agents.online().length });
    if (message === 'memory') {
      global.gc?.();
      const { rss, heapUsed } = process.memoryUsage();
      process.send?.({ rss, heapUsed });
    }
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ address: port.address });
}

void serve(JSON.parse(process.argv[2] ?? '') as ServerArguments);
