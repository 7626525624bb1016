import { LxdError, toLxdError } from '@lxd-ts/core';
import {
  certify,
  fingerprintOf,
  issue,
  type Agent,
  type Authority,
  type MembershipChange,
} from '@lxd-ts/rpc';
import type { ClusterControl } from '@lxd-ts/server';
import type { Records } from '@lxd-ts/state';
import { memberDays } from './identity.ts';
import type { Membership } from './membership.ts';

export interface ControlParts {
  /** undefined: this server is in no cluster. */
  membership: Membership | undefined;
  /** PEM, that clients are shown. */
  certificate(): string;
  records: Records;
  authority(): Promise<Authority | undefined>;
  /** @throws LxdError `unavailable` */
  agent(member: string): Agent;
  /** Makes this server the first member of a cluster, after the answer. */
  found(name: string, address: string): Promise<void>;
  /** Has this server join, after the answer. */
  join: ClusterControl['join'];
  /** About this member itself. */
  change(change: MembershipChange): Promise<void>;
}

/** What the cluster's REST API needs of the daemon. */
export function clusterControl(parts: ControlParts): ClusterControl {
  const { membership, records } = parts;

  const signer = async (): Promise<Authority> => {
    const authority = await parts.authority();
    if (!authority) throw new LxdError('unavailable', 'This member does not certify others');
    return authority;
  };

  const tell = (member: string, change: MembershipChange, signal: AbortSignal): Promise<void> =>
    member === membership?.name ? parts.change(change) : parts.agent(member).membership(change, { signal });

  return {
    clustered: () => membership !== undefined,
    address: () => membership?.address ?? '',
    certificate: parts.certificate,
    enable: ({ serverName, address }) => parts.found(serverName, address),
    join: parts.join,
    certify: async (name, request) => {
      const authority = await signer();
      let certificate: string;
      try {
        certificate = await certify(authority, request, { commonName: name, role: 'member' }, new Date());
      } catch (error) {
        throw new LxdError('invalid', `"certificate_request" is not good: ${toLxdError(error).message}`);
      }
      return { certificate, fingerprint: fingerprintOf(certificate), authority: authority.certificate };
    },
    leave: () => parts.change({ kind: 'leave' }),
    updateCertificate: async (pair, { signal }) => {
      const control = records.list('members').filter(({ value }) => value.roles.includes('control-plane'));
      for (const { value } of control) await tell(value.name, { kind: 'certificate', ...pair }, signal);
    },
    removeMember: async (name, { force }, { signal }) => {
      try {
        await tell(name, { kind: 'leave' }, signal);
      } catch (error) {
        // Whoever cannot be reached learns of it when it comes back: nobody lets it in any more.
        if (!force) throw error;
      }
    },
    renameMember: async (from, to, { signal }) => {
      const address = records.get('members', to)?.value.address;
      const identity = await issue(
        await signer(),
        { commonName: to, role: 'member' },
        new Date(),
        memberDays,
      );
      const fingerprint = fingerprintOf(identity.certificate);
      if (address === undefined) throw new LxdError('not-found', 'Cluster member not found');
      await records.modify('members', [to], (value) => ({ ...value, certificate: fingerprint }), { signal });
      const { certificate, key } = identity;
      await tell(from, { kind: 'rename', name: to, certificate, key }, signal);
    },
  };
}
