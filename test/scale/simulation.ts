import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAuthority } from '@lxd-ts/rpc';
import { newMember, openEtcdStore, openRecords, startEmbeddedEtcd } from '@lxd-ts/state';
import { Rest } from '../support/rest.ts';
import { Child } from './child.ts';

export interface Size {
  servers: number;
  members: number;
  instances: number;
}

export interface SimulationOptions extends Pick<Size, 'servers' | 'members'> {
  /** Agents in one process; default 100. */
  perProcess?: number;
  offlineThresholdMs?: number;
}

export interface Simulation extends AsyncDisposable {
  servers: Child[];
  /** To each server. */
  rests: Rest[];
  agents: Child[];
  etcdPid: number;
  /** Of etcd. */
  endpoints: string[];
  /** Starts a process of agents with these names, in place of one that ended. */
  startAgents(names: string[]): Child;
  /** Of the members that run instances. */
  members: string[];
  /** Milliseconds until all agents were connected to all servers. */
  connectMs: number;
}

const patienceMs = 180_000;
export const serverName = (number: number): string => `s${number}`;

/** What a cluster has before its first instance. */
async function firstRecords(endpoints: string[], servers: string[], members: string[]): Promise<void> {
  const signal = AbortSignal.timeout(patienceMs);
  const store = openEtcdStore({ endpoints, writer: 'setup', id: randomUUID() });
  {
    await using records = await openRecords(store, { signal });
    const none = { description: '', status: 'Created' as const, config: {} };
    const everywhere = Object.fromEntries(members.map((name) => [name, {}]));
    await records
      .transaction()
      .create('pools', ['p'], { ...none, name: 'p', driver: 'dir', memberConfig: everywhere })
      .create('networks', ['default', 'n'], {
        ...none,
        project: 'default',
        name: 'n',
        type: 'bridge',
        memberConfig: everywhere,
      })
      .create('profiles', ['default', 'default'], {
        project: 'default',
        name: 'default',
        description: '',
        config: {},
        devices: {
          root: { type: 'disk', path: '/', pool: 'p' },
          eth0: { type: 'nic', name: 'eth0', network: 'n' },
        },
      })
      .commit({ signal });
    const transaction = records.transaction();
    for (const name of servers)
      transaction.create('members', [name], newMember({ name, roles: ['control-plane'] }));
    members.forEach((name, number) =>
      transaction.create(
        'members',
        [name],
        newMember({ name, roles: ['node'], architecture: 'x86_64', failureDomain: `rack${number % 5}` }),
      ),
    );
    await transaction.commit({ signal });
  }
  await store.close();
}

/** Real servers over a real etcd, and agents that only pretend, over the real RPC contract. */
export async function startSimulation(options: SimulationOptions): Promise<Simulation> {
  const { servers: serverCount, members: memberCount, perProcess = 100 } = options;
  const { offlineThresholdMs = 20_000 } = options;
  const { signal } = new AbortController();
  const dir = mkdtempSync(join(tmpdir(), 'lxd-ts-scale-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const etcd = await startEmbeddedEtcd({ dir: join(dir, 'etcd'), signal });
  stack.defer(() => etcd.stop());
  const { endpoints } = etcd;
  const names = Array.from({ length: serverCount }, (_, number) => serverName(number));
  const members = Array.from({ length: memberCount }, (_, number) => `m${String(number).padStart(4, '0')}`);
  await firstRecords(endpoints, names, members);
  const authority = await createAuthority(new Date());

  const socketOf = (name: string) => join(dir, `${name}.socket`);
  const servers = names.map((name) =>
    stack.use(
      new Child('server-process.ts', {
        name,
        endpoints,
        authority,
        socket: socketOf(name),
        offlineThresholdMs,
      }),
    ),
  );
  const addresses = await Promise.all(
    servers.map(async (server) => (await server.heard<{ address: string }>()).address),
  );
  const startAgents = (of: string[]) => new Child('agents-process.ts', { names: of, addresses, authority });
  const began = performance.now();
  const agents: Child[] = [];
  for (let at = 0; at < members.length; at += perProcess)
    agents.push(startAgents(members.slice(at, at + perProcess)));
  stack.defer(async () => {
    await Promise.all(agents.map((child) => child[Symbol.asyncDispose]()));
  });
  await Promise.all(agents.map((child) => child.heard()));
  for (const server of servers) {
    for (;;) {
      const { online } = await server.ask<{ online: number }>('online');
      if (online === memberCount) break;
      if (performance.now() - began > patienceMs) throw new Error(`only ${online} members are online`);
      await sleep(100);
    }
  }
  const connectMs = performance.now() - began;
  const rests = names.map((name) => new Rest(socketOf(name)));
  stack.defer(() => {
    for (const rest of rests) rest.close();
  });
  const running = stack.move();
  return {
    servers,
    rests,
    agents,
    etcdPid: etcd.pid,
    endpoints,
    startAgents: (of) => {
      const child = startAgents(of);
      agents.push(child);
      return child;
    },
    members,
    connectMs,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
