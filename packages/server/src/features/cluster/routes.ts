import { LxdError } from '@lxd-ts/core';
import { decodeJoinToken, fingerprintOf } from '@lxd-ts/rpc';
import { newMember, type MemberRecord } from '@lxd-ts/state';
import { started, sync, type Route } from '../../http/route.ts';
import { withPort } from '../server/config-schema.ts';
import { admit } from './admit.ts';
import { memberUrl, tell, type ClusterContext } from './context.ts';
import type { ClusterControl, JoinRequest, MemberConfigKey } from './control.ts';
import { memberConfigKeys } from './member-config.ts';
import { checkMemberName } from './names.ts';
import { untilUsed } from '../shared/token-life.ts';
import { createJoinToken, redeem } from './tokens.ts';

interface ClusterPut {
  server_name?: string;
  enabled?: boolean;
  server_address?: string;
  cluster_address?: string;
  cluster_certificate?: string;
  cluster_password?: string;
  cluster_token?: string;
  member_config?: MemberConfigKey[] | null;
}

interface ClusterEnrollPost {
  server_name: string;
  secret: string;
  address: string;
  certificate_request: string;
  eligible?: boolean;
  member_config?: MemberConfigKey[];
}

export interface ClusterOptions {
  control: ClusterControl;
}

/** From a join token, as LXD's clients make it, and what else is said of the cluster. @throws LxdError `invalid` */
function joinTarget(
  text: string,
  serverName: string,
  { cluster_address = '', cluster_certificate = '' }: ClusterPut,
): Pick<JoinRequest, 'clusterAddresses' | 'clusterCertificate' | 'fingerprint' | 'secret'> {
  const token = decodeJoinToken(text);
  if (token.server_name !== serverName) {
    throw new LxdError('invalid', `The join token is for "${token.server_name}", not for "${serverName}"`);
  }
  const { addresses, fingerprint, secret } = token;
  return {
    clusterAddresses: cluster_address ? [cluster_address, ...addresses] : addresses,
    clusterCertificate: cluster_certificate,
    fingerprint,
    secret,
  };
}

/** Where the control plane's members are. */
export const controlPlaneAddresses = (members: readonly MemberRecord[]): string[] =>
  members
    .filter(({ roles, address }) => roles.includes('control-plane') && address !== '')
    .map(({ address }) => address);

export function clusterRoutes(context: ClusterContext): Route[] {
  const { services, control } = context;
  const { records, operations, server, clock, uuid } = services;
  const clustered = () => control.clustered();
  const get: Route = {
    operationId: 'clusterGet',
    handle: ({ caller }) => {
      const view = {
        server_name: clustered() ? (caller.via ?? server) : '',
        enabled: clustered(),
        member_config: memberConfigKeys(context),
      };
      return Promise.resolve(sync(view, view));
    },
  };
  const put: Route<ClusterPut> = {
    operationId: 'clusterPut',
    handle: async ({ body, project }) => {
      if (!body.enabled && body.server_name)
        throw new LxdError('invalid', 'ServerName must be empty when disabling clustering');
      if (body.enabled && !body.server_name)
        throw new LxdError('invalid', 'ServerName is required when enabling clustering');
      if (!body.enabled)
        throw new LxdError('unsupported', 'A cluster cannot be disabled; remove its members');
      if (clustered()) throw new LxdError('invalid', 'This server is already clustered');
      const serverName = checkMemberName(body.server_name);
      // Clients send empty words for what they do not mean.
      const token = body.cluster_token || body.cluster_password || undefined;
      if (token === undefined && body.cluster_address)
        throw new LxdError('invalid', '"cluster_token" must be given to join a cluster');
      const config = records.get('memberServerConfig', server)?.value.config ?? {};
      const given = body.server_address || (config['core.https_address'] ?? '');
      const address = given && withPort(given);
      if (address === '') {
        throw new LxdError('invalid', '"server_address" must say where other members reach this server');
      }
      const memberConfig = body.member_config ?? [];
      const joining = token === undefined ? undefined : joinTarget(token, serverName, body);
      return started(
        await operations.start({
          class: 'task',
          description: token === undefined ? 'Bootstrapping cluster' : 'Joining cluster',
          project,
          resources: { cluster: [] },
          run: (running) =>
            joining
              ? control.join({ ...joining, serverName, serverAddress: address, memberConfig }, running)
              : control.enable({ serverName, address }, running),
        }),
      );
    },
  };
  const add: Route<{ server_name?: string }> = {
    operationId: 'clusterMembersPost',
    handle: async ({ body, project, caller }) => {
      if (!clustered()) throw new LxdError('invalid', 'This server is not clustered');
      const name = checkMemberName(body.server_name);
      if (records.get('members', name)) {
        throw new LxdError('conflict', `The cluster already has a member with name: ${name}`);
      }
      const now = clock.now();
      const id = uuid();
      context.tokens.add(id);
      const token = await createJoinToken(records, { id, member: name, server }, now);
      const members = records.list('members').map(({ value }) => value);
      const online = members.filter((member) => services.agents.state(member.name) !== 'offline');
      const metadata = {
        serverName: name,
        secret: token.secret,
        fingerprint: fingerprintOf(control.certificate()),
        addresses: online.map(({ address }) => address).filter(Boolean),
        expiresAt: token.expiresAt,
      };
      tell(services, 'cluster-token-created', memberUrl(name), caller);
      return started(
        await operations.start({
          class: 'token',
          description: 'Executing operation',
          project,
          resources: { cluster: [] },
          metadata,
          mayCancel: true,
          run: async ({ signal }) => {
            await untilUsed(records, 'joinTokens', token, () => clock.now(), signal).finally(() =>
              context.tokens.delete(token.id),
            );
          },
        }),
      );
    },
  };
  const enroll: Route<ClusterEnrollPost> = {
    operationId: 'internalClusterEnrollPost',
    untrusted: true,
    handle: async ({ body, signal }) => {
      if (!clustered()) throw new LxdError('invalid', 'This server is not clustered');
      const now = clock.now();
      const name = checkMemberName(body.server_name);
      // Whether the token is good is asked before a certificate is made, and again by the commit.
      redeem(records, name, body.secret, now);
      const { certificate, fingerprint, authority } = await control.certify(name, body.certificate_request);
      const member = newMember({
        name,
        roles: ['node'],
        address: body.address,
        certificate: fingerprint,
        joinedAt: now.toISOString(),
        eligible: body.eligible ?? true,
      });
      await admit(services, { member, secret: body.secret, memberConfig: body.member_config ?? [] }, signal);
      const all = records.list('members').map(({ value }) => value);
      return sync({ certificate, authority, control_plane: controlPlaneAddresses(all) });
    },
  };
  return [get, put, add, enroll];
}
