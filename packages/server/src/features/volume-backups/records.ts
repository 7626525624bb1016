import { LxdError } from '@lxd-ts/core';
import type { Transaction, Versioned, VolumeBackupRecord, VolumeRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { dropFile } from '../backups/files.ts';

type OfVolume = Pick<VolumeRecord, 'pool' | 'project' | 'name' | 'member'>;

export type VolumeBackupId = [pool: string, project: string, volume: string, member: string, name: string];

export const backupIdOf = (backup: VolumeBackupRecord): VolumeBackupId => [
  backup.pool,
  backup.project,
  backup.volume,
  backup.member,
  backup.name,
];

export const volumePrefix = ({ pool, project, name, member }: OfVolume) =>
  [pool, project, name, member] as const;

/** Of one volume, oldest first; what is being made is not one yet. */
export const backupsOfVolume = ({ records }: Services, volume: OfVolume): VolumeBackupRecord[] =>
  records
    .list('volumeBackups', ...volumePrefix(volume))
    .map(({ value }) => value)
    .filter(({ pending }) => !pending)
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt));

/** @throws LxdError `not-found`, worded as LXD words it */
export function findVolumeBackup(
  { records }: Services,
  volume: OfVolume,
  name: string,
): Versioned<VolumeBackupRecord> {
  const found = records.get('volumeBackups', ...volumePrefix(volume), name);
  if (!found || found.value.pending) throw new LxdError('not-found', 'Storage volume backup not found');
  return found;
}

/** How LXD writes a time that is not set. */
const unset = '0001-01-01T00:00:00Z';

/** LXD's StoragePoolVolumeBackup. */
export const volumeBackupView = (backup: VolumeBackupRecord): Record<string, unknown> => ({
  name: backup.name,
  created_at: backup.createdAt,
  expires_at: backup.expiresAt || unset,
  volume_only: backup.volumeOnly,
  optimized_storage: backup.optimized,
});

/** With its volume, which is `to` from now on. */
export function renameBackups(
  { records }: Services,
  transaction: Transaction,
  volume: OfVolume,
  to: OfVolume,
): void {
  for (const { value, revision } of records.list('volumeBackups', ...volumePrefix(volume))) {
    const after = { ...value, pool: to.pool, project: to.project, volume: to.name, member: to.member };
    transaction
      .delete('volumeBackups', backupIdOf(value), revision)
      .create('volumeBackups', backupIdOf(after), after);
  }
}

/** With their volume. @returns what removes the files, once the transaction is committed; it never throws */
export function dropBackups(
  services: Services,
  transaction: Transaction,
  volume: OfVolume,
): () => Promise<void> {
  const backups = services.records.list('volumeBackups', ...volumePrefix(volume)).map(({ value }) => value);
  for (const backup of backups) transaction.remove('volumeBackups', backupIdOf(backup));
  return async () => {
    for (const { id, member, name } of backups)
      await dropFile(services, { id, member, name, instance: volume.name });
  };
}
