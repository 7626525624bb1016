import { LxdError, toLxdError } from '@lxd-ts/core';
import type { InstanceRecord, SnapshotRecord, Transaction, Versioned } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { findInstance, unwindTimeoutMs } from './context.ts';
import { withoutPending } from './pending.ts';

const maxAttempts = 20;

/** Of one instance, oldest first. */
export const snapshotsOf = (services: Services, project: string, instance: string): SnapshotRecord[] =>
  services.records
    .list('snapshots', project, instance)
    .map(({ value }) => value)
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt));

/** @throws LxdError `not-found`, worded as LXD words it */
export function findSnapshot(
  services: Services,
  project: string,
  instance: string,
  name: string,
): Versioned<SnapshotRecord> {
  const found = services.records.get('snapshots', project, instance, name);
  if (!found)
    throw new LxdError(
      'not-found',
      `Failed to fetch snapshot "${name}" of instance "${instance}" in project "${project}": InstanceSnapshot not found`,
    );
  return found;
}

/** What an instance is now, as a snapshot of this name. */
export const snapshotRecord = (
  instance: InstanceRecord,
  name: string,
  times: { createdAt: string; expiresAt: string },
): SnapshotRecord => ({
  project: instance.project,
  instance: instance.name,
  name,
  architecture: instance.architecture,
  ephemeral: instance.ephemeral,
  stateful: false,
  config: instance.config,
  devices: instance.devices,
  profiles: instance.profiles,
  lastUsedAt: '',
  ...times,
});

/**
 * The outcome of an intent: the record without it, and what is committed together with that. An effect that has happened
 * goes on record even when the caller has given up.
 */
export async function settle(
  services: Services,
  project: string,
  name: string,
  change: (record: InstanceRecord) => InstanceRecord,
  also: (transaction: Transaction) => void = () => undefined,
): Promise<void> {
  const signal = AbortSignal.timeout(unwindTimeoutMs);
  for (let attempt = 0; ; attempt++) {
    const { value, revision } = findInstance(services, project, name);
    const transaction = services.records
      .transaction()
      .update('instances', [project, name], revision, withoutPending(change(value)));
    also(transaction);
    try {
      await transaction.commit({ signal });
      return;
    } catch (error) {
      if (toLxdError(error).code !== 'precondition-failed' || attempt >= maxAttempts) throw error;
    }
  }
}

export const unchanged = (record: InstanceRecord): InstanceRecord => record;
