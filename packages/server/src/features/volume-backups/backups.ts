import { LxdError } from '@lxd-ts/core';
import type { OperationView, RunningOperation } from '@lxd-ts/operations';
import type { Versioned, VolumeBackupRecord, VolumeRecord } from '@lxd-ts/state';
import type { Duty } from '../../cluster/leader.ts';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { checkBackupName, requestedBackup } from '../backups/requested.ts';
import {
  dropBackup,
  expiredBackups,
  makeBackup,
  recoverBackups,
  renameBackup,
  type BackupKind,
} from '../backups/stored.ts';
import { idOf, specOf, volumeUrl } from '../volumes/context.ts';
import { volumeIndex } from './index-file.ts';
import { backupIdOf, findVolumeBackup, volumePrefix } from './records.ts';

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

const kind: BackupKind<'volumeBackups'> = {
  kind: 'volumeBackups',
  idOf: backupIdOf,
  ownerOf: ({ volume }) => volume,
  // As LXD, which answers 400.
  exists: ({ volume, name }, verb) =>
    new LxdError(
      'invalid',
      `${verb === 'create' ? 'Create volume backup: ' : ''}Backup "${volume}/${name}" already exists`,
    ),
};

function write(
  services: Services,
  volume: VolumeRecord,
  { id, member, volumeOnly, optimized }: VolumeBackupRecord,
  compression: string,
  { signal, update }: Pick<RunningOperation, 'signal' | 'update'>,
): Promise<unknown> {
  const { index, snapshots } = volumeIndex(services, volume, volumeOnly);
  return services.agents
    .get(member)
    .createVolumeBackup(
      specOf(services, volume),
      { id, snapshots, index, compression, optimized },
      { signal, onProgress: update },
    );
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
  const { name, expiresAt, compression, optimized } = requestedBackup(services, body, taken);
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
        optimized,
        pending: { operation: operation.id, server },
      };
      const found = records.get('volumes', ...idOf(volume));
      if (!found) throw new LxdError('not-found', 'Storage pool volume not found');
      const { signal } = operation;
      await makeBackup(
        services,
        kind,
        backup,
        (transaction) => transaction.guard('volumes', idOf(volume), found.revision),
        () =>
          write(services, found.value, backup, compression, {
            signal,
            update: (progress) => operation.update(progress),
          }),
        signal,
      );
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
      await dropBackup(services, kind, findVolumeBackup(services, volume, name).value);
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
  checkBackupName(to);
  if (to === '') throw new LxdError('invalid', 'No name provided');
  findVolumeBackup(services, volume, from);
  return services.operations.start({
    class: 'task',
    description: 'Renaming custom volume backup',
    project: volume.project,
    resources: resourcesOf(volume),
    run: async ({ signal }) => {
      await renameBackup(services, kind, findVolumeBackup(services, volume, from), to, signal);
      toldOfBackup(services, 'renamed', volume, to, caller, { old_name: from });
    },
  });
}

/** What these servers were making when they ended goes. */
export const recoverVolumeBackups = (services: Services, servers: readonly string[]): Promise<void> =>
  recoverBackups(services, kind, servers);

export const volumeBackupDuties = (services: Services): Duty[] => [
  expiredBackups(services, kind, async (backup) => {
    const { pool, project, volume, member, name } = backup;
    const found = services.records.get('volumes', pool, project, volume, member)?.value;
    if (found) await startVolumeBackupDelete(services, found, name, nobody);
  }),
];
