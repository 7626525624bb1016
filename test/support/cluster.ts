import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startDaemon } from './daemon.ts';
import type { TestServer } from './server.ts';
import { makeUnderlay, type Underlay } from './underlay.ts';
import { waitFor } from './wait-for.ts';

export interface ClusterMember extends TestServer {
  /** Its name in the cluster: `m1`, `m2`, … */
  name: string;
  /** `10.99.0.N:8443`. */
  address: string;
}

export interface Cluster {
  members: ClusterMember[];
  underlay: Underlay;
  /** Starts a server that is no member yet. */
  startHost(number: number): Promise<ClusterMember>;
  /** A member dies for good. */
  lose(name: string): Promise<void>;
  /** Deletes everything there is and ends all members; tells what is left. */
  stopAll(): Promise<string[]>;
}

interface Token {
  serverName: string;
  secret: string;
  fingerprint: string;
  addresses: string[];
  expiresAt: string;
}

/** The token as clients hand it on. */
export const encodeToken = ({ serverName, secret, fingerprint, addresses, expiresAt }: Token): string =>
  Buffer.from(
    JSON.stringify({ server_name: serverName, fingerprint, addresses, secret, expires_at: expiresAt }),
  ).toString('base64');

/** Makes a server the first member of a cluster that has nothing yet. */
export async function enableCluster(first: ClusterMember): Promise<void> {
  const { rest, name, address } = first;
  // LXD needs it before, and takes it from there.
  await rest.call('PATCH', '/1.0', { config: { 'core.https_address': address } });
  await rest.must('PUT', '/1.0/cluster', { server_name: name, enabled: true, server_address: address });
  await waitFor(
    'the first member',
    () => rest.send('GET', '/1.0/cluster').catch(() => undefined),
    (answer) => (answer?.metadata as { enabled?: boolean } | undefined)?.enabled === true,
  );
}

async function bootstrap(first: ClusterMember): Promise<void> {
  const { rest } = first;
  await enableCluster(first);
  await rest.must('POST', '/1.0/storage-pools?target=m1', { name: 'default', driver: 'dir' });
  await rest.must('POST', '/1.0/storage-pools', { name: 'default', driver: 'dir' });
  await rest.must('POST', '/1.0/networks?target=m1', { name: 'lxdbr0', type: 'bridge' });
  const config = { 'ipv4.address': '10.98.0.1/24', 'ipv4.nat': 'false', 'ipv6.address': 'none' };
  await rest.must('POST', '/1.0/networks', { name: 'lxdbr0', type: 'bridge', config });
  await rest.must('PUT', '/1.0/profiles/default', {
    devices: {
      root: { type: 'disk', path: '/', pool: 'default' },
      eth0: { type: 'nic', network: 'lxdbr0', name: 'eth0' },
    },
  });
}

/** A token for a new member. */
export async function askToken(first: TestServer, name: string): Promise<string> {
  const given = await first.rest.send('POST', '/1.0/cluster/members', { server_name: name });
  if (given.error) throw new Error(given.error);
  return encodeToken((given.metadata as { metadata: Token }).metadata);
}

/** Joins by a token, as `lxd init` does. @param pools there are */
export async function joinBy(
  first: ClusterMember,
  member: ClusterMember,
  pools: readonly string[] = ['default'],
): Promise<void> {
  const { metadata } = await first.rest.must('GET', '/1.0');
  const { certificate } = (metadata as { environment: { certificate: string } }).environment;
  await member.rest.must('PUT', '/1.0/cluster', {
    server_name: member.name,
    enabled: true,
    cluster_address: first.address,
    cluster_certificate: certificate,
    cluster_password: await askToken(first, member.name),
    server_address: member.address,
    member_config: pools.map((name) => ({ entity: 'storage-pool', name, key: 'source', value: '' })),
  });
  await waitFor(
    `member ${member.name}`,
    () => first.rest.send('GET', `/1.0/cluster/members/${member.name}`).catch(() => undefined),
    (answer) => (answer?.metadata as { status?: string } | undefined)?.status === 'Online',
  );
  for (const pool of pools)
    await waitFor(
      `pool ${pool} of ${member.name}`,
      () => first.rest.send('GET', `/1.0/storage-pools/${pool}?target=${member.name}`).catch(() => undefined),
      (answer) => (answer?.metadata as { status?: string } | undefined)?.status === 'Created',
    );
}

/**
 * A cluster, each member in a network of its own, with the pool `default` (dir), the bridge `lxdbr0` and a default
 * profile that uses both.
 */
export async function startCluster(
  dir: string,
  count: number,
  start: (dir: string) => Promise<TestServer>,
): Promise<Cluster> {
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  const underlay = await makeUnderlay();
  const members: ClusterMember[] = [];
  const stopAll = async (): Promise<string[]> => {
    const left: string[] = [];
    // The first deletes what all have; the others go while there is still somebody to say goodbye to.
    for (const member of members) left.push(...(await member.stopAll()));
    underlay[Symbol.dispose]();
    return left;
  };
  const startHost = async (number: number): Promise<ClusterMember> => {
    const server = await start(join(dir, `m${number}`));
    const ip = underlay.attach(server, number);
    const member = Object.assign(server, { name: `m${number}`, address: `${ip}:8443` });
    members.push(member);
    return member;
  };
  try {
    const first = await startHost(1);
    await bootstrap(first);
    for (let number = 2; number <= count; number++) await joinBy(first, await startHost(number));
  } catch (error) {
    await stopAll().catch(() => undefined);
    throw error;
  }
  const lose = async (name: string): Promise<void> => {
    const at = members.findIndex((member) => member.name === name);
    const [lost] = members.splice(at, 1);
    await lost?.die();
  };
  return { members, underlay, startHost, lose, stopAll };
}

/** A cluster of ours. */
export const startDaemonCluster = (dir: string, count = 3): Promise<Cluster> =>
  startCluster(dir, count, startDaemon);
