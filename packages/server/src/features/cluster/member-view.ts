import type { MemberRecord, MemberRole } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import type { ClusterControl } from './control.ts';

/** Roles that are given by whoever runs the cluster; the others come by themselves. */
export const givenRoles: readonly MemberRole[] = ['event-hub', 'ovn-chassis'];

/** As LXD names them. */
export function rolesView({ roles, name }: MemberRecord, leader: string | undefined): string[] {
  const given = roles.filter((role) => givenRoles.includes(role));
  if (!roles.includes('control-plane')) return given;
  return [...(name === leader ? ['database-leader'] : []), 'database', ...given];
}

function statusOf(
  { agents, clock }: Services,
  { name, state }: MemberRecord,
): [status: string, message: string] {
  if (state === 'Evacuated') return ['Evacuated', 'Unavailable due to maintenance'];
  if (agents.state(name) !== 'offline') return ['Online', 'Fully operational'];
  const silentMs = agents.silentMs(name);
  const since = new Date(clock.now().getTime() - silentMs).toISOString();
  return ['Offline', `No heartbeat for ${Math.round(silentMs) / 1000}s (${since})`];
}

/** LXD's ClusterMember. */
export function memberView(
  services: Services,
  control: ClusterControl,
  record: MemberRecord,
): Record<string, unknown> {
  const [status, message] = statusOf(services, record);
  return {
    roles: rolesView(record, control.leader?.()),
    failure_domain: record.failureDomain,
    description: record.description,
    config: record.config,
    groups: record.groups,
    server_name: record.name,
    url: record.address === '' ? '' : `https://${record.address}`,
    database: record.roles.includes('control-plane'),
    status,
    message,
    architecture: record.architecture,
  };
}

/** What the ETag of a member is made of: what can be changed by it. */
export const memberTag = ({
  name,
  roles,
  failureDomain,
  description,
  config,
  groups,
}: MemberRecord): unknown => [name, roles, failureDomain, description, config, groups];
