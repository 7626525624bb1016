import { LxdError, toLxdError, type VolumeSpec } from '@lxd-ts/core';
import type { Pending, PoolRecord, Versioned, VolumeRecord } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { poolSpec } from '../instances/spec.ts';
import type { Drivers } from '../shared/drivers.ts';
import type { InFlight } from '../shared/in-flight.ts';
import { effectTimeoutMs } from '../shared/members.ts';
import { blockBytesOf } from './config.ts';

export type VolumeId = [pool: string, project: string, name: string, member: string];

export interface VolumesContext {
  services: Services;
  /** Volumes that this server is changing: not for recovery. */
  working: InFlight;
  drivers: Pick<Drivers, 'blockVolumes'>;
}

/** What a request says of the volume it means. */
export interface VolumeAsked {
  pool: string;
  project: string;
  name: string;
  /** `?target=` */
  target?: string | undefined;
  /** Whose server was asked. */
  via: string;
}

export const idOf = ({ pool, project, name, member }: VolumeRecord): VolumeId => [
  pool,
  project,
  name,
  member,
];

export const keyOf = (id: VolumeId): string => id.map(encodeURIComponent).join('/');

const inProject = (project: string): string =>
  project === 'default' ? '' : `?project=${encodeURIComponent(project)}`;

type Named = Pick<VolumeRecord, 'pool' | 'project' | 'name'>;

export function volumeUrl({ pool, project, name }: Named, snapshot?: string): string {
  const path = `/1.0/storage-pools/${encodeURIComponent(pool)}/volumes/custom/${encodeURIComponent(name)}`;
  return `${path}${snapshot === undefined ? '' : `/snapshots/${encodeURIComponent(snapshot)}`}${inProject(project)}`;
}

/** @throws LxdError `not-found` */
export function findPool({ records }: Services, name: string): Versioned<PoolRecord> {
  const found = records.get('pools', name);
  if (!found) throw new LxdError('not-found', 'Storage pool not found');
  return found;
}

/** Volumes of one name are told apart by their member. @throws LxdError `not-found`, `invalid` when it is not clear which */
export function findVolume(
  services: Services,
  { pool, project, name, target, via }: VolumeAsked,
): Versioned<VolumeRecord> {
  findPool(services, pool);
  const all = services.records.list('volumes', pool, project, name);
  const found = all.find(({ value }) => value.member === (target ?? via));
  if (found) return found;
  const [only, another] = all;
  if (!only || target !== undefined) throw new LxdError('not-found', 'Storage pool volume not found');
  if (another)
    throw new LxdError('invalid', 'More than one cluster member has such a volume: name one with ?target=');
  return only;
}

/** What its agent is told of it. */
export function specOf({ records }: Services, record: VolumeRecord, snapshot?: string): VolumeSpec {
  const pool = records.get('pools', record.pool)?.value;
  if (!pool) throw new LxdError('not-found', 'Storage pool not found');
  const { project, name, member, contentType, config } = record;
  return {
    pool: poolSpec(pool, member),
    project,
    name,
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(contentType === 'block' ? { block: { bytes: blockBytesOf(config) } } : {}),
  };
}

export function told(
  { events }: Services,
  action: string,
  volume: Named,
  { username, protocol }: Pick<Caller, 'username' | 'protocol'>,
  more: { snapshot?: string; context?: Record<string, unknown> } = {},
): void {
  events.lifecycle({
    action: `storage-volume-${action}`,
    source: volumeUrl(volume, more.snapshot),
    project: volume.project,
    requestor: { username, protocol },
    ...(more.context ? { context: more.context } : {}),
  });
}

export const withoutPending = ({ pending: _pending, ...record }: VolumeRecord): VolumeRecord => record;

/** What is committed with the outcome is the work's; an intent that is still there then goes. */
export async function settle({ records }: Services, id: VolumeId, signal: AbortSignal): Promise<void> {
  if (records.get('volumes', ...id)?.value.pending)
    await records.modify('volumes', id, withoutPending, { signal });
}

/**
 * Intent, effect, outcome. A failure takes the record back to what it was, after `undo`.
 * @throws LxdError `conflict` while something else is done to it, `precondition-failed`
 */
export async function changing<T>(
  { services, working }: VolumesContext,
  found: Versioned<VolumeRecord>,
  pending: Pick<Pending, 'kind' | 'detail'>,
  work: (signal: AbortSignal) => Promise<T>,
  {
    after = found.value,
    undo,
    given,
  }: {
    after?: VolumeRecord;
    undo?: (signal: AbortSignal) => Promise<void>;
    /** Ends the work, however long it takes; absent: it is given up after `effectTimeoutMs`. */
    given?: AbortSignal;
  } = {},
): Promise<T> {
  const { records, server } = services;
  const id = idOf(found.value);
  return working.during(keyOf(id), async () => {
    if (found.value.pending)
      throw new LxdError('conflict', `The storage volume is busy: ${found.value.pending.kind}`);
    const signal = AbortSignal.timeout(effectTimeoutMs);
    await records
      .transaction()
      .update('volumes', id, found.revision, { ...after, pending: { ...pending, operation: '', server } })
      .commit({ signal });
    try {
      const result = await work(given ?? signal);
      await settle(services, id, AbortSignal.timeout(effectTimeoutMs));
      return result;
    } catch (error) {
      // The outcome may be on record although etcd did not say so: recovery looks before anything is undone.
      if (undo && toLxdError(error).code === 'unavailable') throw error;
      const back = AbortSignal.timeout(effectTimeoutMs);
      await undo?.(back);
      await records.modify('volumes', id, () => found.value, { signal: back });
      throw error;
    }
  });
}
