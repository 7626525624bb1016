import { LxdError, toLxdError } from '@lxd-ts/core';
import type { OperationView, RunningOperation } from '@lxd-ts/operations';
import type { Versioned, VolumeBackupRecord, VolumeRecord } from '@lxd-ts/state';
import type { Duty } from '../../cluster/leader.ts';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { checkAlgorithm, nextName, timeOf } from '../backups/backups.ts';
import { dropFile } from '../backups/files.ts';
import { idOf, specOf, volumeUrl } from '../volumes/context.ts';
import { volumeIndex } from './index-file.ts';
import { backupIdOf, findVolumeBackup, volumePrefix } from './records.ts';

const minuteMs = 60_000;
const commitMs = 60_000;

type Who = Pick<Caller, 'username' | 'protocol'>;

const nobody: Who = { username: '', protocol: 'unix' };

/** Bodies as LXD's clients send them. */
export interface VolumeBackupsPost {
  name?: string;
  expires_at?: string | null;
  volume_only?: boolean;
  optimized_storage?: boolean;
  compression_algorithm?: string;
}

/** REST path of a backup. */
export function backupUrl(volume: Pick<VolumeRecord, 'pool' | 'project' | 'name'>, backup: string): string {
  const [path = '', query] = volumeUrl(volume).split('?');
  return `${path}/backups/${encodeURIComponent(backup)}${query === undefined ? '' : `?${query}`}`;
}

export function toldOfBackup(
  { events }: Services,
  action: string,
  volume: VolumeRecord,
  name: string,
  { username, protocol }: Who,
  context?: Record<string, unknown>,
): void {
  events.lifecycle({
    action: `storage-volume-backup-${action}`,
    source: backupUrl(volume, name),
    project: volume.project,
    requestor: { username, protocol },
    ...(context ? { context } : {}),
  });
}

/** Its record, then its file. */
async function drop(services: Services, backup: VolumeBackupRecord): Promise<void> {
  await services.records
    .transaction()
    .remove('volumeBackups', backupIdOf(backup))
    .commit({ signal: AbortSignal.timeout(commitMs) });
  const { id, member, name, volume } = backup;
  await dropFile(services, { id, member, name, instance: volume });
}

async function make(
  services: Services,
  volume: VolumeRecord,
  backup: VolumeBackupRecord,
  compression: string,
  { signal, update }: Pick<RunningOperation, 'signal' | 'update'>,
): Promise<void> {
  try {
    const { index, snapshots } = volumeIndex(services, volume, backup.volumeOnly);
    await services.agents
      .get(backup.member)
      .createVolumeBackup(
        specOf(services, volume),
        { id: backup.id, snapshots, index, compression, optimized: backup.optimized },
        { signal, onProgress: update },
      );
    // The volume may be gone by now, and this with it.
    await services.records.modify('volumeBackups', backupIdOf(backup), ({ pending: _, ...rest }) => rest, {
      signal: AbortSignal.timeout(commitMs),
    });
  } catch (error) {
    await drop(services, backup);
    throw error;
  }
}

const resourcesOf = ({ name }: VolumeRecord) => ({ volume: [name] });

/** @throws LxdError `invalid` */
export function startVolumeBackup(
  services: Services,
  { value: volume }: Versioned<VolumeRecord>,
  body: VolumeBackupsPost,
  caller: Who,
): Promise<OperationView> {
  const { records, server, clock } = services;
  const taken = records.list('volumeBackups', ...volumePrefix(volume)).map(({ value }) => value.name);
  const name = body.name || nextName(taken);
  if (name.includes('/')) throw new LxdError('invalid', 'Backup names may not contain slashes');
  const expiresAt = timeOf(body.expires_at);
  const fallback = records.get('serverConfig')?.value.config['backups.compression_algorithm'];
  const compression = body.compression_algorithm || fallback || 'gzip';
  checkAlgorithm(compression);
  return services.operations.start({
    class: 'task',
    description: 'Creating custom volume backup',
    project: volume.project,
    resources: { storage_volumes: [`/1.0/storage_volumes/${volume.name}`], backups: [name] },
    mayCancel: false,
    run: async (operation) => {
      const { pool, project, member } = volume;
      const backup: VolumeBackupRecord = {
        pool,
        project,
        volume: volume.name,
        member,
        name,
        id: services.uuid(),
        createdAt: clock.now().toISOString(),
        expiresAt,
        volumeOnly: body.volume_only ?? false,
        optimized: body.optimized_storage ?? false,
        pending: { operation: operation.id, server },
      };
      const isTaken = () => records.get('volumeBackups', ...backupIdOf(backup)) !== undefined;
      const exists = () =>
        // As LXD, which answers 400.
        new LxdError('invalid', `Create volume backup: Backup "${volume.name}/${name}" already exists`);
      if (isTaken()) throw exists();
      const found = records.get('volumes', ...idOf(volume));
      if (!found) throw new LxdError('not-found', 'Storage pool volume not found');
      await records
        .transaction()
        .create('volumeBackups', backupIdOf(backup), backup)
        .guard('volumes', idOf(volume), found.revision)
        .commit({ signal: operation.signal })
        .catch((error: unknown) => {
          throw isTaken() ? exists() : error;
        });
      await make(services, found.value, backup, compression, {
        signal: operation.signal,
        update: (progress) => operation.update(progress),
      });
      toldOfBackup(services, 'created', volume, name, caller, { type: 'custom' });
    },
  });
}

/** @throws LxdError `not-found` */
export function startVolumeBackupDelete(
  services: Services,
  volume: VolumeRecord,
  name: string,
  caller: Who,
): Promise<OperationView> {
  findVolumeBackup(services, volume, name);
  return services.operations.start({
    class: 'task',
    description: 'Deleting custom volume backup',
    project: volume.project,
    resources: resourcesOf(volume),
    run: async () => {
      await drop(services, findVolumeBackup(services, volume, name));
      toldOfBackup(services, 'deleted', volume, name, caller);
    },
  });
}

/** @throws LxdError `not-found`, `invalid` */
export function startVolumeBackupRename(
  services: Services,
  volume: VolumeRecord,
  [from, to]: [string, string],
  caller: Who,
): Promise<OperationView> {
  const { records } = services;
  if (to.includes('/')) throw new LxdError('invalid', 'Backup names may not contain slashes');
  if (to === '') throw new LxdError('invalid', 'No name provided');
  findVolumeBackup(services, volume, from);
  return services.operations.start({
    class: 'task',
    description: 'Renaming custom volume backup',
    project: volume.project,
    resources: resourcesOf(volume),
    run: async ({ signal }) => {
      const backup = findVolumeBackup(services, volume, from);
      const { revision = 0 } = records.get('volumeBackups', ...backupIdOf(backup)) ?? {};
      const after = { ...backup, name: to };
      const isTaken = () => records.get('volumeBackups', ...backupIdOf(after)) !== undefined;
      const exists = () => new LxdError('invalid', `Backup "${volume.name}/${to}" already exists`);
      if (isTaken()) throw exists();
      await records
        .transaction()
        .delete('volumeBackups', backupIdOf(backup), revision)
        .create('volumeBackups', backupIdOf(after), after)
        .commit({ signal })
        .catch((error: unknown) => {
          throw isTaken() ? exists() : error;
        });
      toldOfBackup(services, 'renamed', volume, to, caller, { old_name: from });
    },
  });
}

/** What these servers were making when they ended goes. */
export async function recoverVolumeBackups(services: Services, servers: readonly string[]): Promise<void> {
  for (const { value } of services.records.list('volumeBackups')) {
    const { pending } = value;
    if (!pending || !servers.includes(pending.server)) continue;
    if (services.operations.isRunning(pending.operation)) continue;
    await drop(services, value);
    services.log.info('removed a backup that was cut off', { volume: value.volume, backup: value.name });
  }
}

/** What the leader does: backups whose time is over go. */
export const volumeBackupDuties = (services: Services): Duty[] => [
  {
    name: 'expired backups of volumes',
    everyMs: minuteMs,
    async run({ signal }) {
      const now = services.clock.now();
      for (const { value } of services.records.list('volumeBackups')) {
        if (signal.aborted) return;
        if (!value.expiresAt || new Date(value.expiresAt) > now || value.pending) continue;
        const { pool, project, volume, member, name } = value;
        const found = services.records.get('volumes', pool, project, volume, member)?.value;
        if (!found) continue;
        await startVolumeBackupDelete(services, found, name, nobody).catch((error: unknown) =>
          services.log.warn('a backup whose time is over stays', { error: toLxdError(error).message }),
        );
      }
    },
  },
];
