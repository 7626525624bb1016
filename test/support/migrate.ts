import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type { WebSocket as Socket } from 'ws';
import type { OperationView } from './rest.ts';
import type { TestServer } from './server.ts';

/** The tests have no packages of their own; this is the server's. */
const { WebSocket } = createRequire(resolve('packages/server/package.json'))('ws') as {
  WebSocket: typeof Socket;
};

export interface Host {
  server: TestServer;
  /** Where it can be reached over TLS; absent: only by its unix socket. */
  address?: string;
  /** PEM. */
  certificate?: string;
}

export interface Migration {
  mode: 'pull' | 'push' | 'relay';
  from: [host: Host, name: string];
  to: [host: Host, name: string];
  /** Of the sink. */
  pool?: string;
  source?: Record<string, unknown>;
  sink?: Record<string, unknown>;
}

export interface Migrating {
  source: OperationView;
  sink: OperationView;
  /** Both operations as they ended. */
  ended: Promise<{ source: OperationView; sink: OperationView }>;
}

const operationOf = async ({ rest }: TestServer, path: string, body: unknown): Promise<OperationView> => {
  const answer = await rest.send('POST', path, body);
  if (answer.type !== 'async') throw new Error(`POST ${path}: ${answer.error || answer.text}`);
  return answer.metadata as OperationView;
};

/** What a server that is gone would have said. */
const lost = { id: '', status: 'Lost', status_code: 0, err: 'the server is gone', metadata: null };

const over = async ({ rest }: TestServer, { id }: OperationView): Promise<OperationView> => {
  const answer = await rest.send('GET', `/1.0/operations/${id}/wait`).catch(() => undefined);
  return (answer?.metadata as OperationView | null | undefined) ?? lost;
};

/**
 * Between the two servers' sockets, as a client does it in the relay mode; one after the other, for two that are opened at
 * the same time may end a real LXD 5.0 ("close of closed channel").
 */
function relay(from: TestServer, source: OperationView, to: TestServer, sink: OperationView): void {
  const open = ({ dir }: TestServer, { id, metadata }: OperationView, name: string) =>
    new WebSocket(
      `ws+unix:${join(dir, 'unix.socket')}:/1.0/operations/${id}/websocket?secret=${String(metadata?.[name])}`,
      { perMessageDeflate: false },
    );
  void (async () => {
    for (const name of ['control', 'fs']) {
      const ends = [open(from, source, name), open(to, sink, name)] as const;
      const opened = ends.map(
        (end) => new Promise<void>((done) => end.once('open', done).once('error', done)),
      );
      for (const [one, other] of [ends, [ends[1], ends[0]]] as const) {
        let order: Promise<unknown> = Promise.all(opened);
        one.on('error', () => undefined);
        one.on('message', (data, binary) => {
          one.pause();
          order = order.then(() => new Promise<void>((done) => other.send(data, { binary }, () => done())));
          void order.then(() => one.resume());
        });
        one.on('close', () => void order.then(() => other.close()));
      }
      await Promise.all(opened);
    }
  })();
}

/** Starts both ends as LXD's client does. */
export async function startMigration(migration: Migration): Promise<Migrating> {
  const { mode, from, to, pool, source: sourceMore, sink: sinkMore } = migration;
  const [near, name] = from;
  const [far, newName] = to;
  const { metadata } = await near.server.rest.must('GET', `/1.0/instances/${name}`);
  const instance = metadata as {
    architecture: string;
    config: Record<string, string>;
    devices: Record<string, unknown>;
    profiles: string[];
  };
  const post = (target?: unknown) =>
    operationOf(near.server, `/1.0/instances/${name}`, {
      name,
      migration: true,
      live: false,
      ...(target ? { target } : {}),
      ...sourceMore,
    });
  const create = (how: 'pull' | 'push', where: object) =>
    operationOf(far.server, '/1.0/instances', {
      name: newName,
      architecture: instance.architecture,
      config: instance.config,
      devices: { ...instance.devices, ...(pool ? { root: { type: 'disk', path: '/', pool } } : {}) },
      profiles: instance.profiles,
      source: {
        type: 'migration',
        mode: how,
        'base-image': instance.config['volatile.base_image'] ?? '',
        ...where,
        ...sinkMore,
      },
    });
  const at = ({ address, certificate }: Host, { id, metadata: secrets }: OperationView) => ({
    operation: `https://${address ?? ''}/1.0/operations/${id}`,
    secrets,
    certificate,
  });
  let source: OperationView;
  let sink: OperationView;
  if (mode === 'push') {
    sink = await create('push', {});
    source = await post(at(far, sink));
  } else {
    source = await post();
    sink = await create(mode === 'pull' ? 'pull' : 'push', mode === 'pull' ? at(near, source) : {});
    if (mode === 'relay') relay(near.server, source, far.server, sink);
  }
  const ended = Promise.all([over(near.server, source), over(far.server, sink)]).then(([one, other]) => ({
    source: one,
    sink: other,
  }));
  return { source, sink, ended };
}
