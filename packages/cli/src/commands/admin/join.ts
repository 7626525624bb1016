import { readFile } from 'node:fs/promises';
import { LxdError } from '@lxd-ts/core';
import { loadTls, type MemberConfigKey } from '@lxd-ts/client';
import { parseToken, type Token } from '../../remotes/token.ts';
import type { PreseedCluster } from './preseed.ts';

/** The request that makes this server a member, as `PUT /1.0/cluster` takes it. */
export interface JoinRequest {
  server_name: string;
  enabled: true;
  server_address: string;
  cluster_address: string;
  cluster_certificate: string;
  cluster_password: string;
  member_config: MemberConfigKey[];
}

/** `host` or `host:port`, with the usual port. */
export const withPort = (address: string): string =>
  /(^[^:]+|\])$/.test(address)
    ? `${address}:8443`
    : /^[^[]*:[^[]*:/.test(address)
      ? `[${address}]:8443`
      : address;

const memberConfig = ({ member_config: keys }: PreseedCluster): MemberConfigKey[] =>
  (keys ?? []).map(({ entity, name, key, value = '' }) => ({ entity, name, key, value, description: '' }));

/** The first of a token's addresses that answers with the certificate that the token names. */
async function findMember(token: Token): Promise<{ address: string; certificate: string }> {
  const { peekCertificate, certificateFingerprint } = await loadTls();
  const failures: string[] = [];
  for (const address of token.addresses) {
    try {
      const certificate = await peekCertificate(`https://${address}`, AbortSignal.timeout(10_000));
      if (certificateFingerprint(certificate) === token.fingerprint) return { address, certificate };
      failures.push(`${address}: its certificate is not the one that the token names`);
    } catch (error) {
      failures.push(`${address}: ${(error as Error).message}`);
    }
  }
  throw new LxdError('unavailable', `No member of the cluster was found:\n - ${failures.join('\n - ')}`);
}

async function certificateOf(cluster: PreseedCluster): Promise<string> {
  const { cluster_certificate: text, cluster_certificate_path: path } = cluster;
  if (text) return text;
  if (!path)
    throw new LxdError('invalid', 'cluster_certificate or cluster_certificate_path is needed to join');
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new LxdError('invalid', `Cannot read cluster_certificate_path: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Whether the document means to join, not to begin a cluster. */
export const isJoin = ({ cluster_address: address, cluster_token: token }: PreseedCluster): boolean =>
  Boolean(address || token);

/**
 * What to send to join.
 * @param listening where this server listens already, if it does
 */
export async function joinRequest(
  cluster: PreseedCluster,
  listening: string | undefined,
): Promise<JoinRequest> {
  const own = cluster.server_address || listening;
  if (!own) throw new LxdError('invalid', 'server_address is needed: where other members reach this server');
  const common = {
    enabled: true,
    server_address: withPort(own),
    member_config: memberConfig(cluster),
  } as const;
  if (cluster.cluster_token) {
    const token = parseToken(cluster.cluster_token);
    const serverName = token?.serverName;
    if (!token || serverName === undefined)
      throw new LxdError('invalid', 'cluster_token is not a join token');
    if (cluster.server_name && cluster.server_name !== serverName)
      throw new LxdError('invalid', `server_name must be "${serverName}", as the join token says`);
    const { address, certificate } = await findMember(token);
    return {
      ...common,
      server_name: serverName,
      cluster_address: address,
      cluster_certificate: certificate,
      cluster_password: cluster.cluster_token,
    };
  }
  if (!cluster.server_name) throw new LxdError('invalid', 'server_name is needed to join a cluster');
  return {
    ...common,
    server_name: cluster.server_name,
    cluster_address: withPort(cluster.cluster_address ?? ''),
    cluster_certificate: await certificateOf(cluster),
    cluster_password: cluster.cluster_password ?? '',
  };
}
