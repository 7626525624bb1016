import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { machine } from 'node:os';
import { join } from 'node:path';
import { toLxdError } from '@lxd-ts/core';
import { openOperations } from '@lxd-ts/operations';
import { fingerprintOf, type Agent } from '@lxd-ts/rpc';
import { createServer, partsOf, standalone, type Logger, type UnixListener } from '@lxd-ts/server';
import {
  newMember,
  openEtcdStore,
  openRecords,
  startEmbeddedEtcd,
  type Records,
  type Store,
} from '@lxd-ts/state';
import { clusterHub } from './cluster.ts';
import { clusterAuthority, serverCertificate } from './identity.ts';
import type { DaemonOptions } from './options.ts';
import { version } from './version.ts';

export interface ControlPlane {
  /**
   * Stops every instance of this machine, and what they stood on.
   * @param force does not wait for what is going on to end first
   */
  stopInstances(force: boolean): Promise<void>;
  /** Everything is closed but the event streams. */
  close(): Promise<void>;
  /** The last sign of life. */
  sayGoodbye(): void;
}

/** How long a shutdown waits for what is going on, as LXD's. */
const drainTimeoutMs = 300_000;

/** A store, and what must be ended with it. */
async function openStore(
  options: DaemonOptions,
  log: Logger,
  signal: AbortSignal,
): Promise<{ store: Store; close(): Promise<void> }> {
  const identity = { writer: options.name, id: randomUUID() };
  if (options.etcdEndpoints.length > 0) {
    const { etcdTls: tls } = options;
    const files = tls && {
      ca: await readFile(tls.ca),
      ...(tls.cert === undefined ? {} : { cert: await readFile(tls.cert) }),
      ...(tls.key === undefined ? {} : { key: await readFile(tls.key) }),
    };
    const store = openEtcdStore({
      endpoints: options.etcdEndpoints,
      ...(files ? { tls: files } : {}),
      ...identity,
    });
    return { store, close: () => store.close() };
  }
  const etcd = await startEmbeddedEtcd({
    dir: join(options.dir, 'etcd'),
    signal,
    onTrouble: (error) => log.error('etcd is in trouble', { error: error.message }),
  });
  log.info('etcd is running', { pid: etcd.pid, adopted: etcd.adopted });
  const store = openEtcdStore({ endpoints: etcd.endpoints, ...identity });
  return {
    store,
    close: async () => {
      await store.close();
      await etcd.stop();
    },
  };
}

/** What a new installation has from its first start. */
async function firstRecords(
  records: Records,
  options: DaemonOptions,
  now: Date,
  signal: AbortSignal,
): Promise<void> {
  if (!records.get('profiles', 'default', 'default')) {
    await records
      .transaction()
      .create('profiles', ['default', 'default'], {
        project: 'default',
        name: 'default',
        description: 'Default LXD profile',
        config: {},
        devices: {},
      })
      .commit({ signal });
  }
  const known = records.get('members', options.name);
  const roles = [...options.roles];
  if (!known) {
    const member = newMember({
      name: options.name,
      roles,
      architecture: machine(),
      joinedAt: now.toISOString(),
    });
    await records.transaction().create('members', [options.name], member).commit({ signal });
  } else if (known.value.roles.join() !== roles.join()) {
    const { revision, value } = known;
    await records
      .transaction()
      .update('members', [options.name], revision, { ...value, roles })
      .commit({ signal });
  }
}

/**
 * Brings the API up, with this machine's agent where it is a node too.
 * @param signal gives the start up; what was opened is closed again
 */
export async function openControlPlane(
  options: DaemonOptions,
  agent: Agent | undefined,
  listener: UnixListener,
  log: Logger,
  shutdown: (force: boolean) => Promise<void>,
  signal: AbortSignal,
): Promise<ControlPlane> {
  const clock = { now: () => new Date() };
  const { name, dir } = options;
  await using opening = new AsyncDisposableStack();
  const { store, close: closeStore } = await openStore(options, log, signal);
  opening.defer(closeStore);
  const onError = (error: Error) => log.error('the records are in trouble', { error: error.message });
  const records = opening.use(await openRecords(store, { signal, onError }));
  await firstRecords(records, options, clock.now(), signal);
  const clustered = options.clusterAddress !== undefined;
  const operations = await openOperations({
    records,
    server: name,
    clustered,
    clock,
    uuid: randomUUID,
    onError,
  });
  const { certificate } = await serverCertificate(dir, name, clock.now());
  const cluster =
    options.clusterAddress === undefined
      ? undefined
      : clusterHub({
          address: options.clusterAddress,
          authority: await clusterAuthority(dir, clock.now()),
          records,
          log,
          clock,
        });
  let ready = false;
  const hubs = opening.use(new AsyncDisposableStack());
  const api = createServer({
    records,
    operations,
    log,
    server: name,
    clock,
    uuid: randomUUID,
    info: {
      version,
      certificate,
      certificateFingerprint: fingerprintOf(certificate),
      pid: process.pid,
      clustered,
    },
    internal: { ready: () => ready, shutdown },
    cluster: {
      control: { ...standalone, clustered: () => clustered, address: () => options.clusterAddress ?? '' },
      joinToken: cluster?.joinToken,
    },
  });

  opening.use(api);
  // Ends first: what unwinds needs its agents.
  opening.use(operations);
  const stopping = new AbortController();
  opening.defer(() => stopping.abort());
  /** First what was left half done, then what should run. */
  const takenIn = async (member: string): Promise<void> => {
    try {
      await api.recover([name], { signal: stopping.signal });
      await api.instances.startAll(member, { signal: stopping.signal });
    } catch (error) {
      if (!stopping.signal.aborted)
        log.error('recovery failed', { member, error: toLxdError(error).message });
    }
  };
  if (agent) await api.agents.connected(name, agent);
  await api.recover([name], { signal });
  if (cluster) hubs.use(await cluster.listen(api, (member) => void takenIn(member)));
  listener.serve(api.http);
  // As LXD: ready is who has started what should run.
  if (agent) void takenIn(name).then(() => (ready = true));
  else ready = true;

  const open = opening.move();
  return {
    stopInstances: async (force) => {
      stopping.abort();
      if (!agent) return;
      const patience = AbortSignal.timeout(force ? 0 : drainTimeoutMs);
      await operations.drain({ signal: patience }).catch((error: unknown) => {
        if (!force) log.warn('operations go on', { error: toLxdError(error).message });
      });
      const { signal: never } = new AbortController();
      await api.instances.stopAll(name, Infinity, { signal: never });
      await agent.release(partsOf(records, name), { signal: never });
    },
    close: () => open.disposeAsync(),
    sayGoodbye: () => api.events.close(),
  };
}
