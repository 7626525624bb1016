import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { openOperations } from '@lxd-ts/operations';
import { selfSigned, type MemberDescription } from '@lxd-ts/rpc';
import { memoryStore, newMember, openRecords, type Records } from '@lxd-ts/state';
import { createServer, type ApiServer } from '../create-server.ts';
import { standalone } from '../features/cluster/control.ts';
import { fakeAgent, type FakeAgent } from '../features/testing/harness.ts';
import { listenUnix } from '../http/listen.ts';

/** LXD's envelope. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: {
    type: string;
    status: string;
    status_code: number;
    operation: string;
    error_code: number;
    error: string;
    metadata: unknown;
  };
}

export interface Served extends AsyncDisposable {
  socket: string;
  api: ApiServer;
  records: Records;
  fake: FakeAgent;
  /** @param body a string is sent as it is, all else as JSON */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Waits for the operation behind an answer and returns it. */
  over(answer: Promise<Answer>): Promise<Record<string, unknown>>;
}

const description: MemberDescription = {
  version: '0.1.0',
  hostname: 'm1',
  architectures: ['x86_64', 'i686'],
  kernel: { name: 'Linux', version: '6.1.0', architecture: 'x86_64', features: { idmapped_mounts: 'true' } },
  os: { name: 'Debian GNU/Linux', version: '12' },
  lxcVersion: '5.0.2',
  lxcFeatures: { seccomp_notify: 'true' },
  firewall: 'nftables',
  storageDrivers: [{ name: 'dir', version: '1', remote: false }],
  networkTypes: ['bridge'],
  cpus: 4,
  memoryBytes: 2 ** 33,
  memoryFreeBytes: 2 ** 32,
};

const silent = () => undefined;

/** The whole API on a unix socket: records in memory, an agent that only remembers. */
export async function serve(): Promise<Served> {
  const { signal } = new AbortController();
  const dir = await mkdtemp(join(tmpdir(), 'lxd-ts-'));
  const socket = join(dir, 'unix.socket');
  const store = memoryStore();
  const records = await openRecords(store, { signal });
  await records
    .transaction()
    .create('profiles', ['default', 'default'], {
      project: 'default',
      name: 'default',
      description: 'Default LXD profile',
      config: {},
      devices: { root: { type: 'disk', path: '/', pool: 'default' } },
    })
    .create('pools', ['default'], {
      name: 'default',
      driver: 'dir',
      description: '',
      status: 'Created',
      config: {},
      memberConfig: { m1: { source: '/p' } },
    })
    .create(
      'members',
      ['m1'],
      newMember({ name: 'm1', roles: ['control-plane', 'node'], architecture: 'x86_64' }),
    )
    .commit({ signal });
  const clock = { now: () => new Date() };
  const operations = await openOperations({
    records,
    server: 'm1',
    clock,
    uuid: randomUUID,
    onError: (error) => {
      throw error;
    },
  });
  const { certificate } = await selfSigned('m1', new Date());
  const api = createServer({
    records,
    operations,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    server: 'm1',
    clock,
    uuid: randomUUID,
    info: { version: '0.1.0', certificate: () => certificate, pid: 1, clustered: false },
    internal: { ready: () => true, shutdown: () => Promise.resolve() },
    cluster: { control: standalone },
  });
  const fake = fakeAgent({
    describe: () => Promise.resolve(description),
    resources: () => Promise.resolve({ cpu: { architecture: 'x86_64', sockets: [], total: 1 } }),
    restore: () => Promise.resolve(),
    async *observe(options) {
      yield { kind: 'all', instances: [] };
      await new Promise((resolve) => options.signal.addEventListener('abort', resolve));
    },
  });
  await api.agents.connected('m1', fake.agent);
  const listener = await listenUnix(socket, undefined);
  listener.serve(api.http);

  const call: Served['call'] = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const sent = request({ socketPath: socket, method, path, headers, agent: false }, (response) => {
        json(response).then(
          (value) =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: value as Answer['body'],
            }),
          reject,
        );
      });
      sent.on('error', reject);
      sent.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
    });
  return {
    socket,
    api,
    records,
    fake,
    call,
    over: async (answer) => {
      const { body } = await answer;
      const waited = await call('GET', `${body.operation}/wait`);
      return waited.body.metadata as Record<string, unknown>;
    },
    [Symbol.asyncDispose]: async () => {
      await listener[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
      await operations[Symbol.asyncDispose]();
      api.events.close();
      await records[Symbol.asyncDispose]();
      await store.close();
      await rm(dir, { recursive: true });
    },
  };
}
