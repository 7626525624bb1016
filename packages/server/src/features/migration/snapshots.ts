import type { MigratedSnapshot } from '@lxd-ts/rpc';
import type { InstanceRecord, Transaction } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { settle, snapshotsOf, unchanged } from '../instances/snapshot-records.ts';

/** Of an instance, oldest first. */
export const snapshotsToSend = (services: Services, project: string, name: string): MigratedSnapshot[] =>
  snapshotsOf(services, project, name).map(
    ({ project: _project, instance: _instance, ...snapshot }) => snapshot,
  );

/** Snapshots that came with an instance. */
export function putReceived(
  transaction: Transaction,
  { project, name }: Pick<InstanceRecord, 'project' | 'name'>,
  snapshots: readonly MigratedSnapshot[],
): void {
  for (const snapshot of snapshots)
    transaction.put('snapshots', [project, name, snapshot.name], {
      ...snapshot,
      profiles: [...snapshot.profiles],
      project,
      instance: name,
    });
}

/** An instance that came is whole: it and its snapshots are on record at once. */
export const recordReceived = (
  services: Services,
  { project, name }: Pick<InstanceRecord, 'project' | 'name'>,
  snapshots: readonly MigratedSnapshot[],
): Promise<void> =>
  settle(services, project, name, unchanged, (transaction) =>
    putReceived(transaction, { project, name }, snapshots),
  );
