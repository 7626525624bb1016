import { rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError, toLxdError } from '@lxd-ts/core';
import {
  bulkName,
  decodeJoinToken,
  fingerprintOf,
  openBulkPort,
  openHubConnections,
  openMemberPort,
  splitAddress,
  type Agent,
  type HubConnections,
  type MemberPort,
  type MembershipChange,
} from '@lxd-ts/rpc';
import { createNodeServer, type Logger, type UnixListener } from '@lxd-ts/server';
import type { ControlParts } from './cluster-control.ts';
import { openControlPlane, type ControlPlane } from './control-plane.ts';
import { enroll, type EnrollRequest } from './enroll.ts';
import { clusterAuthority, clusterCertificate, memberIdentity } from './identity.ts';
import {
  forgetMembership,
  readAuthority,
  readMembership,
  writeMembership,
  writePair,
  type Membership,
} from './membership.ts';
import { noAgent } from './no-agent.ts';
import { openNode } from './node.ts';
import type { DaemonOptions } from './options.ts';
import { switchableBulk } from './switchable-bulk.ts';
import { peerUrl } from './voters.ts';

/** Time for the answer that announces a change to reach whoever asked for it. */
const answerMs = 300;

/** Who is to be of the control plane and could not be tries again after this time. */
const againMs = 1_000;

/** @returns the status of the answer */
function put(path: string, connection: Duplex): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ method: 'PUT', path, createConnection: () => connection }, (response) => {
      response.resume().once('end', () => {
        connection.destroy();
        resolve(response.statusCode ?? 0);
      });
    });
    sent.once('error', reject).end();
  });
}

/** Whether we can listen there. @throws LxdError */
async function tryAddress(address: string): Promise<void> {
  const port = await openMemberPort(address);
  await port[Symbol.asyncDispose]();
}

/** What a member has open because it is in a cluster. */
interface ClusterParts {
  membership: Membership;
  port: MemberPort;
  connections: HubConnections;
}

/** The parts of the daemon, and how one place in a cluster is exchanged for another while it runs. */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #listener: UnixListener;
  readonly #log: Logger;
  readonly #shutdown: (force: boolean) => Promise<void>;
  readonly #bulk = switchableBulk();
  #agent: (Agent & Disposable) | undefined;
  #cluster: ClusterParts | undefined;
  #controlPlane: ControlPlane | undefined;
  #opening: AbortController | undefined;
  /** What the control plane has told so far. */
  #told: Promise<void> = Promise.resolve();
  /** One change of place at a time. */
  #changing: Promise<void> = Promise.resolve();
  #ending = false;

  /** @param shutdown asks for the end of everything, instances included */
  constructor(
    options: DaemonOptions,
    listener: UnixListener,
    log: Logger,
    shutdown: (force: boolean) => Promise<void>,
  ) {
    this.#options = options;
    this.#listener = listener;
    this.#log = log;
    this.#shutdown = shutdown;
  }

  get #dir(): string {
    return this.#options.dir;
  }

  /** @param signal gives the start up */
  async start(signal: AbortSignal): Promise<void> {
    const membership = await this.#place();
    if (this.#options.roles.includes('node')) {
      const around = {
        bulk: this.#bulk,
        membership: (change: MembershipChange) => this.#change(change),
        location: () => this.#cluster?.membership.name ?? 'none',
      };
      this.#agent = await openNode(this.#options, around, this.#log);
    }
    await this.#open(membership, signal);
  }

  /** From disk; or by the options, the first time. */
  async #place(): Promise<Membership | undefined> {
    const { clusterAddress, joinToken, name, roles } = this.#options;
    const known = await readMembership(this.#dir);
    if (known) return known;
    const control = roles.includes('control-plane');
    if (joinToken !== undefined) {
      const { server_name: serverName, addresses, fingerprint, secret } = decodeJoinToken(joinToken);
      const address = clusterAddress ?? '';
      await this.#join({ serverName, address, addresses, fingerprint, secret, memberConfig: [] });
    } else if (clusterAddress !== undefined && control) {
      await this.#found(name, clusterAddress, undefined);
    } else if (!control) {
      throw new LxdError(
        'invalid',
        'This node is in no cluster yet: start it with --join-token (made by: lxd-ts cluster add NAME)',
      );
    }
    return readMembership(this.#dir);
  }

  async #open(membership: Membership | undefined, signal: AbortSignal): Promise<void> {
    if (membership) this.#cluster = await this.#openCluster(membership);
    if (membership && !membership.controls) this.#serveAsNode(this.#cluster);
    else await this.#serveAsControlPlane(signal);
  }

  async #openCluster(membership: Membership): Promise<ClusterParts> {
    const { address, identity, controlPlane } = membership;
    const port = await openMemberPort(address);
    const bulk = openBulkPort(port.address, identity);
    port.route(bulkName, bulk.accept);
    this.#bulk.use(bulk);
    const agent = this.#agent ?? noAgent((change) => this.#change(change));
    const connections = openHubConnections(agent, identity, {
      onState: (to, connected, why) =>
        this.#log.info(connected ? 'connected' : 'not connected', { to, ...(why ? { why } : {}) }),
    });
    connections.dial(controlPlane.filter((to) => to !== address));
    return { membership, port, connections };
  }

  /**
   * With others, this takes until enough of them are there; what comes meanwhile may call it off.
   * @param patient serves as it did until it works: etcd may be killed on its way up, and the others may be away
   */
  async #serveAsControlPlane(signal: AbortSignal, patient = false): Promise<void> {
    const opening = new AbortController();
    this.#opening = opening;
    try {
      for (;;) {
        try {
          await this.#openControlPlane(AbortSignal.any([signal, opening.signal]));
          return;
        } catch (error) {
          if (opening.signal.aborted) break;
          if (!patient) throw error;
          this.#log.warn('not of the control plane yet; it is tried again', {
            error: toLxdError(error).message,
          });
          await sleep(againMs, undefined, { signal: opening.signal }).catch(() => undefined);
        }
      }
      this.#log.info('this member is not of the control plane after all');
    } finally {
      this.#opening = undefined;
    }
  }

  async #openControlPlane(signal: AbortSignal): Promise<void> {
    const cluster = this.#cluster;
    this.#controlPlane = await openControlPlane(
      {
        options: this.#options,
        agent: this.#agent,
        cluster: cluster && {
          ...cluster,
          onControlPlane: (addresses) => void this.#change({ kind: 'control-plane', addresses }),
        },
        control: this.#control(),
        log: this.#log,
        shutdown: this.#shutdown,
      },
      signal,
    );
    this.#listener.serve(this.#controlPlane.http);
  }

  /** Requests go on to the control plane: those of the socket in this member's name, those of the network as they are. */
  #serveAsNode(cluster: ClusterParts | undefined): void {
    if (!cluster) return;
    const { port, connections } = cluster;
    port.route('', (socket) => {
      const [to] = connections.connected();
      if (to === undefined) {
        socket.destroy();
        return;
      }
      const onward = connect(splitAddress(to));
      pipeline(socket, onward, socket).catch(() => undefined);
    });
    this.#listener.serve(
      createNodeServer({
        log: this.#log,
        internal: { ready: () => connections.connected().length > 0, shutdown: this.#shutdown },
        connect: () => connections.forward(),
      }),
    );
  }

  /** What the API may ask of us, beside what it knows itself. */
  #control(): Pick<ControlParts, 'membership' | 'authority' | 'found' | 'join' | 'change'> {
    return {
      membership: this.#cluster?.membership,
      authority: () => readAuthority(this.#dir),
      found: async (name, address) => {
        await this.#checkAddress(address);
        await this.#found(name, address, this.#options.name);
        this.#soon(() => this.#reopen());
      },
      join: async ({ serverAddress, clusterAddresses, clusterCertificate, ...request }) => {
        await this.#checkAddress(serverAddress);
        await this.#join({
          ...request,
          address: serverAddress,
          addresses: clusterAddresses,
          fingerprint: clusterCertificate ? fingerprintOf(clusterCertificate) : request.fingerprint,
        });
        this.#soon(() => this.#reopen(() => this.#forgetRecords()));
      },
      change: (change) => this.#change(change),
    };
  }

  /** What clients are served on may become the member's address. @throws LxdError */
  async #checkAddress(address: string): Promise<void> {
    if (this.#controlPlane?.address() !== address) await tryAddress(address);
  }

  #forgetRecords(): Promise<void> {
    return rm(join(this.#dir, 'etcd'), { recursive: true, force: true });
  }

  /** Its first member: from the next start on, at the latest. */
  async #found(name: string, address: string, formerName: string | undefined): Promise<void> {
    const now = new Date();
    const authority = await clusterAuthority(this.#dir, now);
    await clusterCertificate(this.#dir, name, now);
    await writeMembership(this.#dir, {
      name,
      address,
      identity: await memberIdentity(authority, name, now),
      controlPlane: [address],
      controls: true,
      ...(formerName === undefined ? {} : { formerName }),
    });
  }

  async #join(request: Omit<EnrollRequest, 'eligible'>): Promise<void> {
    const eligible = this.#options.roles.includes('control-plane');
    const { identity, controlPlane } = await enroll({ ...request, eligible });
    await writeMembership(this.#dir, {
      name: request.serverName,
      address: request.address,
      identity,
      controlPlane,
      controls: false,
    });
  }

  /** By the control plane, of which each server may say something at the same time: about this member. */
  #change(change: MembershipChange): Promise<void> {
    const done = this.#told.then(() => this.#apply(change));
    this.#told = done.catch(() => undefined);
    return done;
  }

  async #apply(change: MembershipChange): Promise<void> {
    const membership = this.#cluster?.membership;
    if (!this.#cluster || !membership) throw new LxdError('invalid', 'This server is in no cluster');
    // It is what is on disk: what could not be written has not happened.
    const become = async (now: Partial<Membership>): Promise<void> => {
      await writeMembership(this.#dir, { ...membership, ...now });
      Object.assign(membership, now);
    };
    switch (change.kind) {
      case 'control-plane': {
        if (change.addresses.length === 0 || change.addresses.join() === membership.controlPlane.join())
          return;
        await become({
          controlPlane: change.addresses,
          // Should its etcd lose all it has, it must not begin an empty one beside the others.
          ...(membership.controls && membership.etcd === undefined && change.addresses.length > 1
            ? {
                etcd: Object.fromEntries(
                  change.addresses.map((to) => [
                    to === membership.address ? membership.name : to,
                    peerUrl(to),
                  ]),
                ),
              }
            : {}),
        });
        // Its vote was taken while it was away.
        if (membership.controls && !change.addresses.includes(membership.address)) {
          await this.#apply({ kind: 'demote', controlPlane: change.addresses });
          return;
        }
        this.#cluster.connections.dial(change.addresses.filter((to) => to !== membership.address));
        return;
      }
      case 'promote':
        await writePair(this.#dir, 'authority', change.authority);
        await writePair(this.#dir, 'cluster', change.clusterCertificate);
        if (membership.controls) return;
        await become({ controls: true, etcd: change.etcd });
        // The node's way of serving is left when the API is there.
        this.#soon(() => this.#serveAsControlPlane(new AbortController().signal, true));
        return;
      case 'demote':
        this.#opening?.abort(new LxdError('cancelled', 'It has no vote any more'));
        await become({ controls: false, controlPlane: change.controlPlane, etcd: undefined });
        this.#soon(() => this.#stepDown());
        return;
      case 'certificate':
        await writePair(this.#dir, 'cluster', change);
        this.#controlPlane?.useCertificate(change);
        return;
      case 'rename': {
        const { name, certificate, key } = change;
        await become({ name, identity: { ...membership.identity, certificate, key } });
        this.#soon(() => this.#reopen());
        return;
      }
      case 'leave':
        this.#opening?.abort(new LxdError('cancelled', 'It is of the cluster no longer'));
        this.#soon(() => this.#reopen(() => forgetMembership(this.#dir)));
    }
  }

  /**
   * After the answer to whoever asked, one after the other. Void when the daemon has another place by then: a member that
   * was removed while it was to step down is alone already.
   */
  #soon(work: () => Promise<void>): void {
    const cluster = this.#cluster;
    this.#changing = this.#changing
      .then(() => sleep(answerMs))
      .then(async () => {
        if (!this.#ending && this.#cluster === cluster) await work();
      })
      .catch((error: unknown) => {
        // Its place on disk is as it should be: the next start takes it.
        this.#log.error('the daemon could not change its place in the cluster; it ends', {
          error: toLxdError(error).message,
        });
        process.exit(1);
      });
  }

  /** Closes all that depends on the place and opens it again; callers wait meanwhile. Instances run on. */
  async #reopen(between?: () => Promise<unknown>): Promise<void> {
    this.#listener.serve(undefined);
    await this.#close();
    await between?.();
    await this.#open(await readMembership(this.#dir), new AbortController().signal);
  }

  /** From the control plane to a node; what agents are doing goes on. */
  async #stepDown(): Promise<void> {
    const plane = this.#controlPlane;
    this.#controlPlane = undefined;
    this.#listener.serve(undefined);
    await plane?.close();
    plane?.sayGoodbye();
    await this.#forgetRecords();
    this.#serveAsNode(this.#cluster);
  }

  async #close(): Promise<void> {
    const [plane, cluster] = [this.#controlPlane, this.#cluster];
    this.#controlPlane = undefined;
    this.#cluster = undefined;
    await plane?.close();
    plane?.sayGoodbye();
    this.#bulk.use(undefined);
    await cluster?.connections[Symbol.asyncDispose]();
    await cluster?.port[Symbol.asyncDispose]();
  }

  /** Of this machine; by the control plane where it is another's. */
  async stopInstances(force: boolean): Promise<void> {
    if (this.#controlPlane) await this.#controlPlane.stopInstances(force);
    else if (this.#cluster) await this.#askToStop(this.#cluster);
  }

  async #askToStop({ connections, membership }: ClusterParts): Promise<void> {
    try {
      const path = `/internal/shutdown?member=${encodeURIComponent(membership.name)}`;
      const status = await put(path, connections.forward());
      if (status !== 200) throw new LxdError('internal', `the control plane answered ${status}`);
    } catch (error) {
      this.#log.error('the instances were not stopped', { error: toLxdError(error).message });
    }
  }

  /** @returns says goodbye to whoever listens for events; the last thing to do */
  async end(): Promise<() => void> {
    this.#ending = true;
    const [plane, cluster] = [this.#controlPlane, this.#cluster];
    await plane?.close();
    await cluster?.connections[Symbol.asyncDispose]();
    this.#agent?.[Symbol.dispose]();
    await cluster?.port[Symbol.asyncDispose]();
    return () => plane?.sayGoodbye();
  }
}
