import { toLxdError } from '@lxd-ts/core';
import type { InstanceRecord, PlacementRecord, Transaction } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { findInstance, type InstancesContext } from './context.ts';
import { expandIn } from './expand.ts';
import { placementRecord } from './reservation.ts';

const maxAttempts = 20;
/** In one transaction. */
const batch = 100;
const timeoutMs = 60_000;

const same = (a: PlacementRecord, b: PlacementRecord): boolean => {
  const text = ({ member, target, reserved, labels, avoids }: PlacementRecord) =>
    JSON.stringify([member, target, reserved?.cpus, reserved?.memoryBytes, reserved?.disk, labels, avoids]);
  return text(a) === text(b);
};

export interface Change {
  project: string;
  name: string;
  /** Where it is. */
  member: string;
  /** The record as it will be. */
  next: (record: InstanceRecord) => InstanceRecord;
  signal: AbortSignal;
}

/**
 * Commits a change of an instance together with what it then has on its member.
 * @param commit must call what it is given in its transaction, and not try again by itself
 * @throws LxdError `invalid` when its member has not got that
 */
export async function withRoom<T>(
  { services, placer }: InstancesContext,
  { project, name, member, next, signal }: Change,
  commit: (also: (after: InstanceRecord, transaction: Transaction) => void) => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    using choice = await placer.extend(next(findInstance(services, project, name).value), member, signal);
    try {
      return await commit((_, transaction) => {
        const placed = services.records.get('placements', project, name);
        if (placed && !same(placed.value, choice.placement))
          transaction.update('placements', [project, name], placed.revision, choice.placement);
        choice.stake(transaction);
      });
    } catch (error) {
      if (toLxdError(error).code !== 'precondition-failed' || attempt >= maxAttempts) throw error;
    }
  }
}

interface Stale {
  id: [project: string, name: string];
  revision: number;
  wanted: PlacementRecord;
}

/** Those whose placement does not say what their configuration now asks. */
function stale(services: Services, instances: readonly Pick<InstanceRecord, 'project' | 'name'>[]): Stale[] {
  return instances.flatMap(({ project, name }) => {
    const record = services.records.get('instances', project, name)?.value;
    const placed = services.records.get('placements', project, name);
    if (!record || !placed) return [];
    const wanted = placementRecord(expandIn(services, project, record), placed.value.member);
    const { target } = placed.value;
    const kept = target === undefined ? wanted : { ...wanted, target };
    return same(placed.value, kept) ? [] : [{ id: [project, name], revision: placed.revision, wanted: kept }];
  });
}

/**
 * Puts what these instances have on their members in line with their configuration, whether or not there is room: for
 * what has been decided already, such as a changed profile. Whoever is about to place there has to look again.
 */
export async function reserveAgain(
  services: Services,
  instances: readonly Pick<InstanceRecord, 'project' | 'name'>[],
): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const wrong = stale(services, instances).slice(0, batch);
    if (wrong.length === 0) return;
    const transaction = services.records.transaction();
    for (const { id, revision, wanted } of wrong) transaction.update('placements', id, revision, wanted);
    for (const member of new Set(wrong.map(({ wanted }) => wanted.member)))
      transaction.put('fences', [member], { by: services.server });
    try {
      await transaction.commit({ signal });
      attempt = -1;
    } catch (error) {
      if (toLxdError(error).code !== 'precondition-failed') throw error;
    }
  }
}
