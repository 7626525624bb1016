import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startReference } from './reference.ts';
import type { TestServer } from './server.ts';
import { makeUnderlay, type Underlay } from './underlay.ts';

export interface ReferenceMember extends TestServer {
  /** Its name in the cluster: `m1`, `m2`, … */
  name: string;
  /** `10.99.0.N:8443`. */
  address: string;
}

export interface ReferenceCluster {
  members: ReferenceMember[];
  underlay: Underlay;
  /** Deletes everything there is and ends all members; tells what is left. */
  stopAll(): Promise<string[]>;
}

interface Token {
  serverName: string;
  secret: string;
  fingerprint: string;
  addresses: string[];
}

/** The token as clients hand it on. */
export const encodeToken = ({ serverName, secret, fingerprint, addresses }: Token): string =>
  Buffer.from(JSON.stringify({ server_name: serverName, fingerprint, addresses, secret })).toString('base64');

/** Starts a member of a cluster to be, plugged to the others. */
async function startMember(dir: string, number: number, underlay: Underlay): Promise<ReferenceMember> {
  const server = await startReference(join(dir, `m${number}`));
  const ip = underlay.attach(server.pid, number);
  return { ...server, name: `m${number}`, address: `${ip}:8443` };
}

async function bootstrap(first: ReferenceMember): Promise<void> {
  const { rest, name, address } = first;
  await rest.must('PATCH', '/1.0', { config: { 'core.https_address': address } });
  await rest.must('PUT', '/1.0/cluster', { server_name: name, enabled: true });
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

/** Joins by a token, as `lxd init` does. */
async function joinBy(first: ReferenceMember, member: ReferenceMember): Promise<void> {
  const { metadata } = await first.rest.must('GET', '/1.0');
  const { certificate } = (metadata as { environment: { certificate: string } }).environment;
  const given = await first.rest.send('POST', '/1.0/cluster/members', { server_name: member.name });
  const token = (given.metadata as { metadata: Token }).metadata;
  await member.rest.must('PUT', '/1.0/cluster', {
    server_name: member.name,
    enabled: true,
    cluster_address: first.address,
    cluster_certificate: certificate,
    cluster_password: encodeToken(token),
    server_address: member.address,
    member_config: [{ entity: 'storage-pool', name: 'default', key: 'source', value: '' }],
  });
}

/**
 * A cluster of real LXDs, each in a network of its own, with the pool `default` (dir), the bridge `lxdbr0` and a default
 * profile that uses both.
 */
export async function startReferenceCluster(dir: string, count = 3): Promise<ReferenceCluster> {
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  const underlay = await makeUnderlay();
  const members: ReferenceMember[] = [];
  const stopAll = async (): Promise<string[]> => {
    const left: string[] = [];
    // The first deletes what all have; the others go while there is still somebody to say goodbye to.
    for (const member of members) left.push(...(await member.stopAll()));
    underlay[Symbol.dispose]();
    return left;
  };
  try {
    for (let number = 1; number <= count; number++) {
      const member = await startMember(dir, number, underlay);
      members.push(member);
      const [first] = members;
      if (!first) throw new Error('a cluster has at least one member');
      if (number === 1) await bootstrap(first);
      else await joinBy(first, member);
    }
  } catch (error) {
    await stopAll().catch(() => undefined);
    throw error;
  }
  return { members, underlay, stopAll };
}
