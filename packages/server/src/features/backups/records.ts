import { LxdError } from '@lxd-ts/core';
import type { BackupRecord, Transaction, Versioned } from '@lxd-ts/state';
import type { Services } from '../../services.ts';

/** Of one instance, oldest first; what is being made is not one yet. */
export const backupsOf = (services: Services, project: string, instance: string): BackupRecord[] =>
  services.records
    .list('backups', project, instance)
    .map(({ value }) => value)
    .filter(({ pending }) => !pending)
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt));

/** @throws LxdError `not-found`, worded as LXD words it */
export function findBackup(
  services: Services,
  project: string,
  instance: string,
  name: string,
): Versioned<BackupRecord> {
  const found = services.records.get('backups', project, instance, name);
  if (!found || found.value.pending)
    throw new LxdError('not-found', 'Load backup from database: Instance backup not found');
  return found;
}

/** How LXD writes a time that is not set. */
const unset = '0001-01-01T00:00:00Z';

/** LXD's InstanceBackup. */
export const backupView = (backup: BackupRecord): Record<string, unknown> => ({
  name: backup.name,
  created_at: backup.createdAt,
  expires_at: backup.expiresAt || unset,
  instance_only: backup.instanceOnly,
  container_only: backup.instanceOnly,
  optimized_storage: backup.optimized,
});

/** For an InstanceFull; null where there are none, as LXD. */
export function backupViews(
  services: Services,
  project: string,
  instance: string,
): Record<string, unknown>[] | null {
  const found = backupsOf(services, project, instance);
  return found.length > 0 ? found.map(backupView) : null;
}

/** With its instance, which is called `to` from now on. */
export function renameWithInstance(
  services: Services,
  [project, instance, to]: [project: string, instance: string, to: string],
  transaction: Transaction,
): void {
  for (const { value, revision } of services.records.list('backups', project, instance))
    transaction
      .delete('backups', [project, instance, value.name], revision)
      .create('backups', [project, to, value.name], { ...value, instance: to });
}
