import { LxdError } from '@lxd-ts/core';
import {
  certify,
  encodeJoinToken,
  fingerprintOf,
  hubName,
  issue,
  openMemberPort,
  startAgentHub,
  type Authority,
} from '@lxd-ts/rpc';
import type { ApiServer, Logger } from '@lxd-ts/server';
import { newMember, type Records } from '@lxd-ts/state';

const tokenHours = 3;

export interface ClusterHub {
  joinToken(name: string): Promise<{ token: string; expiresAt: string }>;
  /** Starts to take agents in. */
  listen(api: ApiServer, onTakenIn: (member: string) => void): Promise<AsyncDisposable>;
}

/** How other members join this control plane and reach it. */
export function clusterHub(options: {
  address: string;
  authority: Authority;
  records: Records;
  log: Logger;
  clock: { now(): Date };
}): ClusterHub {
  const { address, authority, records, log, clock } = options;
  /** Serial numbers of tokens that were not used yet. They are forgotten when the daemon ends. */
  const tokens = new Map<string, string>();

  async function enroll(tokenName: string, serialNumber: string, request: string): Promise<string> {
    const name = tokens.get(serialNumber.toLowerCase());
    if (name === undefined || tokenName !== `join:${name}`) {
      throw new LxdError(
        'forbidden',
        'The join token is not known: it was used already, or is of an earlier run',
      );
    }
    tokens.delete(serialNumber.toLowerCase());
    const now = clock.now();
    const certificate = await certify(authority, request, { commonName: name, role: 'member' }, now);
    await records
      .transaction()
      .create(
        'members',
        [name],
        // Its architecture is known once its agent is connected.
        newMember({
          name,
          roles: ['node'],
          certificate: fingerprintOf(certificate),
          joinedAt: now.toISOString(),
        }),
      )
      .commit({ signal: AbortSignal.timeout(10_000) });
    log.info('a member joined', { member: name });
    return certificate;
  }

  return {
    joinToken: async (name) => {
      const now = clock.now();
      const identity = await issue(
        authority,
        { commonName: `join:${name}`, role: 'client' },
        now,
        tokenHours / 24,
      );
      const { X509Certificate } = await import('node:crypto');
      tokens.set(new X509Certificate(identity.certificate).serialNumber.toLowerCase(), name);
      const expiresAt = new Date(now.getTime() + tokenHours * 3_600_000).toISOString();
      return {
        token: encodeJoinToken({ server_name: name, addresses: [address], expires_at: expiresAt, identity }),
        expiresAt,
      };
    },
    listen: async (api, onTakenIn) => {
      const hub = startAgentHub({
        identity: await issue(authority, { commonName: hubName, role: 'server' }, clock.now(), 3650),
        mayConnect: (member) => records.get('members', member) !== undefined,
        enroll,
        connected: (member, agent) => {
          log.info('a member connected', { member });
          void api.agents.connected(member, agent).then(() => onTakenIn(member));
        },
        disconnected: (member, agent) => {
          log.warn('a member is gone', { member });
          api.agents.disconnected(member, agent);
        },
      });
      const port = await openMemberPort(address);
      port.route(hubName, hub.accept);
      return {
        [Symbol.asyncDispose]: async () => {
          await hub[Symbol.asyncDispose]();
          await port[Symbol.asyncDispose]();
        },
      };
    },
  };
}
