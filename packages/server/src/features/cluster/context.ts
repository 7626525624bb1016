import { LxdError } from '@lxd-ts/core';
import type { MemberRecord, Versioned } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import type { Drivers } from '../shared/drivers.ts';
import type { ClusterControl } from './control.ts';

/** What the cluster's features are made from. */
export interface ClusterContext {
  services: Services;
  control: ClusterControl;
  drivers: Pick<Drivers, 'pool' | 'network'>;
  /** Ids of the join tokens that operations of this server wait for. */
  tokens: Set<string>;
  /** Members that this server is changing in more than one step: not for recovery. */
  inHand: Set<string>;
}

/** Of changes that are only of records. */
export const recordTimeoutMs = 30_000;

/** Two servers may be at it; so often it is tried again. */
export const maxAttempts = 20;

export const memberUrl = (name: string): string => `/1.0/cluster/members/${encodeURIComponent(name)}`;
export const groupUrl = (name: string): string => `/1.0/cluster/groups/${encodeURIComponent(name)}`;

/** @throws LxdError as LXD's */
export function mustBeClustered({ control }: Pick<ClusterContext, 'control'>): void {
  if (!control.clustered()) throw new LxdError('internal', 'Server is not clustered');
}

/** A second record of a member that is getting this name; it goes, or the first does. */
export const isShadow = ({ pending }: MemberRecord): boolean =>
  pending?.kind === 'rename' && pending.detail?.['from'] !== undefined;

/** @throws LxdError `not-found` */
export function findMember({ records }: Services, name: string): Versioned<MemberRecord> {
  const found = records.get('members', name);
  if (!found || isShadow(found.value)) throw new LxdError('not-found', 'Cluster member not found');
  return found;
}

export function tell(
  { events }: Services,
  action: string,
  source: string,
  { username, protocol }: Pick<Caller, 'username' | 'protocol'>,
  context?: Record<string, unknown>,
): void {
  events.lifecycle({
    action,
    source,
    project: 'default',
    requestor: { username, protocol },
    ...(context ? { context } : {}),
  });
}

/** @throws LxdError `conflict` while this server is changing the member otherwise */
export async function holding<T>(
  { inHand }: ClusterContext,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  if (inHand.has(name)) throw new LxdError('conflict', `Cluster member "${name}" is busy`);
  inHand.add(name);
  try {
    return await work();
  } finally {
    inHand.delete(name);
  }
}
