import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { machine } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toLxdError } from '@lxd-ts/core';
import { openOperations } from '@lxd-ts/operations';
import {
  fingerprintOf,
  issue,
  splitAddress,
  type Agent,
  type HubConnections,
  type MemberPort,
} from '@lxd-ts/rpc';
import {
  createServer,
  partsOf,
  renameMember,
  taggedUuid,
  type ApiServer,
  type Logger,
  type Peers,
} from '@lxd-ts/server';
import {
  newMember,
  openEtcdMembers,
  openEtcdStore,
  openRecords,
  peerCommonName,
  startEmbeddedEtcd,
  type EmbeddedEtcdOptions,
  type EtcdMembers,
  type Records,
  type Store,
} from '@lxd-ts/state';
import { clusterControl, type ControlParts } from './cluster-control.ts';
import { openClusterSide } from './cluster-side.ts';
import { clusterAuthority, clusterCertificate, memberDays, serverCertificate } from './identity.ts';
import type { Certificate, Membership } from './membership.ts';
import type { DaemonOptions } from './options.ts';
import { openRestListener } from './rest-listener.ts';
import { version } from './version.ts';
import { peerUrl, votersDuty } from './voters.ts';

export interface ControlPlane {
  /** The API; it listens nowhere itself. */
  http: Server;
  /** `HOST:PORT` at which clients are served outside clusters; '': nowhere. */
  address(): string;
  /** What clients are shown from now on. */
  useCertificate(certificate: Certificate): void;
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

export interface ControlPlaneParts {
  options: DaemonOptions;
  /** Of this machine, where it is a node too. */
  agent: Agent | undefined;
  /** Undefined: it is alone. */
  cluster:
    | {
        membership: Membership;
        port: MemberPort;
        connections: HubConnections;
        onControlPlane(addresses: string[]): void;
      }
    | undefined;
  control: Pick<ControlParts, 'membership' | 'authority' | 'found' | 'join' | 'change'>;
  log: Logger;
  shutdown(force: boolean): Promise<void>;
}

/** To say that this server leads no longer and is gone. */
const leavingTimeoutMs = 5_000;

/** How long a shutdown waits for what is going on, as LXD's. */
const drainTimeoutMs = 300_000;

/** How long a new member of the control plane waits for the agents of the others. */
const dialTimeoutMs = 5_000;

/** How this member's etcd and those of the others reach each other. */
async function peerOptions(
  dir: string,
  { name, address, etcd }: Membership,
): Promise<Pick<EmbeddedEtcdOptions, 'peer' | 'join'>> {
  const authority = await clusterAuthority(dir, new Date());
  const { host } = splitAddress(address);
  const subject = { commonName: peerCommonName, role: 'member' as const, addresses: [host] };
  const identity = await issue(authority, subject, new Date(), memberDays);
  return { peer: { name, url: peerUrl(address), ...identity }, ...(etcd ? { join: etcd } : {}) };
}

/** A store, and what must be ended with it. */
async function openStore(
  { options, cluster, log }: ControlPlaneParts,
  name: string,
  signal: AbortSignal,
): Promise<{ store: Store; members?: EtcdMembers; close(): Promise<void> }> {
  const identity = { writer: name, id: randomUUID() };
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
    ...(cluster ? await peerOptions(options.dir, cluster.membership) : {}),
  });
  log.info('etcd is running', { pid: etcd.pid, adopted: etcd.adopted });
  const store = openEtcdStore({ endpoints: etcd.endpoints, ...identity });
  const members = openEtcdMembers({ endpoints: etcd.endpoints });
  return {
    store,
    members,
    close: async () => {
      members.close();
      await store.close();
      await etcd.stop();
    },
  };
}

/** What a new installation has from its first start, and what this member says of itself. */
async function ownRecords(
  records: Records,
  { options, cluster }: ControlPlaneParts,
  name: string,
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
  const membership = cluster?.membership;
  const { formerName } = membership ?? {};
  if (formerName !== undefined && formerName !== name)
    await renameMember(records, formerName, name, { signal });
  const known = records.get('members', name);
  const given = (known?.value.roles ?? []).filter((role) => role !== 'control-plane' && role !== 'node');
  const own = {
    roles: [...options.roles, ...given],
    address: membership?.address ?? '',
    certificate: membership ? fingerprintOf(membership.identity.certificate) : '',
  };
  if (!known) {
    const member = newMember({ name, architecture: machine(), joinedAt: now.toISOString(), ...own });
    await records.transaction().create('members', [name], member).commit({ signal });
    return;
  }
  const { value, revision } = known;
  const same =
    value.roles.join() === own.roles.join() &&
    value.address === own.address &&
    value.certificate === own.certificate;
  if (!same)
    await records
      .transaction()
      .update('members', [name], revision, { ...value, ...own })
      .commit({ signal });
}

/** Until the agents of all members that are online have dialled in, or there was time enough for it. */
async function everybody(api: ApiServer, records: Records, signal: AbortSignal): Promise<void> {
  const missing = (): boolean => {
    const online = api.agents.online();
    return records
      .list('members')
      .some(
        ({ value: { name, roles } }) =>
          roles.includes('node') &&
          records.get('memberStatuses', name)?.value.state === 'online' &&
          !online.includes(name),
      );
  };
  const end = performance.now() + dialTimeoutMs;
  while (missing() && performance.now() < end) await sleep(50, undefined, { signal });
}

/** The others of the control plane that this member is connected to. */
function peersOf(records: Records, own: string, connections: HubConnections): Peers {
  return {
    reachable: () => {
      const connected = connections.connected();
      return records
        .list('members')
        .filter(({ value }) => value.name !== own && connected.includes(value.address))
        .map(({ value: { name, address } }) => ({ name, connect: () => connections.forward(address) }));
    },
  };
}

/**
 * Brings the API up, with this machine's agent where it is a node too.
 * @param signal gives the start up; what was opened is closed again
 */
export async function openControlPlane(parts: ControlPlaneParts, signal: AbortSignal): Promise<ControlPlane> {
  const { options, agent, cluster, log } = parts;
  const { dir } = options;
  const clock = { now: () => new Date() };
  const name = cluster?.membership.name ?? options.name;
  await using opening = new AsyncDisposableStack();
  const { store, members, close: closeStore } = await openStore(parts, name, signal);
  opening.defer(closeStore);
  const onError = (error: Error) => log.error('the records are in trouble', { error: error.message });
  const records = opening.use(await openRecords(store, { signal, onError }));
  await ownRecords(records, parts, name, clock.now(), signal);
  const clustered = cluster !== undefined;
  const operations = await openOperations({
    records,
    server: name,
    clustered,
    clock,
    uuid: () => (clustered ? taggedUuid(name, randomUUID()) : randomUUID()),
    onError,
  });
  let shown = cluster
    ? await clusterCertificate(dir, name, clock.now())
    : await serverCertificate(dir, name, clock.now());
  let ready = false;
  const rest = opening.use(openRestListener(shown, () => api.http, cluster?.membership.address));
  const api: ApiServer = createServer({
    records,
    operations,
    log,
    server: name,
    clock,
    uuid: randomUUID,
    info: {
      version,
      certificate: () => shown.certificate,
      pid: process.pid,
      clustered,
      ...(cluster ? { clusterAddress: cluster.membership.address } : {}),
      network: rest,
    },
    internal: { ready: () => ready, shutdown: (force) => parts.shutdown(force) },
    offlineThresholdMs: options.offlineThresholdMs,
    ...(cluster ? { peers: peersOf(records, name, cluster.connections) } : {}),
    ...(cluster && members
      ? {
          duties: [
            votersDuty({
              records,
              members,
              agents: {
                get: (member) => api.agents.get(member),
                state: (member) => api.agents.state(member),
              },
              address: cluster.membership.address,
              credentials: async () => ({
                authority: await clusterAuthority(dir, clock.now()),
                clusterCertificate: shown,
              }),
              lostAfterMs: options.lostVoterMs,
              log,
              clock,
            }),
          ],
        }
      : {}),
    cluster: {
      control: clusterControl({
        ...parts.control,
        certificate: () => shown.certificate,
        records,
        agent: (member) => api.agents.get(member),
      }),
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
      await api.instances.bringUp(member, { signal: stopping.signal });
    } catch (error) {
      if (!stopping.signal.aborted)
        log.error('recovery failed', { member, error: toLxdError(error).message });
    }
  };
  if (agent) await api.agents.connected(name, agent);
  // In a cluster when the members are there that it takes: nobody waits for them.
  if (!cluster) await api.recover([name], { signal });
  else {
    opening.use(
      await openClusterSide({
        ...cluster,
        api,
        records,
        name,
        authority: await clusterAuthority(dir, clock.now()),
        rest,
        onTakenIn: (member) => void takenIn(member),
        log,
        clock,
      }),
    );
  }
  // Who was promoted answers when it can reach whom the others can.
  if (cluster?.membership.etcd) await everybody(api, records, signal);
  await api.listen();
  const leading = new AbortController();
  const led = api.lead(store, { signal: leading.signal });
  // Before the records and etcd go.
  opening.defer(async () => {
    leading.abort();
    // Its leases end by themselves when etcd does not answer.
    await Promise.race([led, sleep(leavingTimeoutMs, undefined, { ref: false })]);
  });
  // As LXD: ready is who has started what should run.
  if (agent) void takenIn(name).then(() => (ready = true));
  else ready = true;

  const open = opening.move();
  return {
    http: api.http,
    address: () => rest.address(),
    useCertificate: (certificate) => {
      shown = certificate;
      rest.useCertificate(certificate);
    },
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
