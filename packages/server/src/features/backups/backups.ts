import { LxdError } from '@lxd-ts/core';
import type { OperationView, RunningOperation } from '@lxd-ts/operations';
import type { BackupRecord } from '@lxd-ts/state';
import type { Duty } from '../../cluster/leader.ts';
import type { Services } from '../../services.ts';
import { findInstance, memberOf } from '../instances/context.ts';
import { expandIn, rootDisk } from '../instances/expand.ts';
import { instanceSpec } from '../instances/spec.ts';
import { descriptionOf } from '../descriptions/content.ts';
import { snapshotsToSend } from '../migration/snapshots.ts';
import { findBackup } from './records.ts';
import { checkBackupName, requestedBackup } from './requested.ts';
import {
  dropBackup,
  expiredBackups,
  makeBackup,
  recoverBackups,
  renameBackup,
  type BackupKind,
} from './stored.ts';

/** Bodies as LXD's clients send them. */
export interface BackupsPost {
  name?: string;
  expires_at?: string | null;
  instance_only?: boolean;
  container_only?: boolean;
  optimized_storage?: boolean;
  compression_algorithm?: string;
}

export interface BackupRef {
  project: string;
  instance: string;
  name: string;
}

const kind: BackupKind<'backups'> = {
  kind: 'backups',
  idOf: ({ project, instance, name }) => [project, instance, name],
  ownerOf: ({ instance }) => instance,
  exists: ({ instance, name }, verb) =>
    new LxdError(
      'conflict',
      `${verb === 'create' ? 'Create backup: ' : ''}Backup "${instance}/${name}" already exists`,
    ),
};

const told = ({ events }: Services, { project, instance, name }: BackupRef, action: string): void =>
  events.lifecycle({
    action: `instance-backup-${action}`,
    source: `/1.0/instances/${instance}/backups/${name}`,
    project,
  });

/** LXD's `index.yaml`, all but how the files are packed. */
function indexOf(services: Services, { project, instance, instanceOnly }: BackupRecord) {
  const record = findInstance(services, project, instance).value;
  const snapshots = instanceOnly ? [] : snapshotsToSend(services, project, instance);
  const pool = services.records.get(
    'pools',
    rootDisk(expandIn(services, project, record).devices)?.[1]['pool'] ?? '',
  )?.value;
  const names = snapshots.map(({ name }) => name);
  return {
    snapshots: names,
    index: {
      name: instance,
      backend: pool?.driver ?? '',
      pool: pool?.name ?? '',
      ...(names.length > 0 ? { snapshots: names } : {}),
      optimized: false,
      optimized_header: false,
      type: 'container',
      config: descriptionOf(services, record, snapshots),
    },
  };
}

function write(
  services: Services,
  backup: BackupRecord,
  compression: string,
  { signal, update }: Pick<RunningOperation, 'signal' | 'update'>,
): Promise<unknown> {
  const { project, instance, member, id, optimized } = backup;
  const { value } = findInstance(services, project, instance);
  const { index, snapshots } = indexOf(services, backup);
  return services.agents
    .get(member)
    .createBackup(
      instanceSpec(services, value, member),
      { id, snapshots, index, compression, optimized },
      { signal, onProgress: update },
    );
}

/** @throws LxdError `not-found`, `invalid` */
export function startBackup(
  services: Services,
  project: string,
  instance: string,
  body: BackupsPost,
): Promise<OperationView> {
  const { records, server, clock } = services;
  findInstance(services, project, instance);
  const taken = records.list('backups', project, instance).map(({ value }) => value.name);
  const { name, expiresAt, compression, optimized } = requestedBackup(services, body, taken);
  return services.operations.start({
    class: 'task',
    description: 'Backing up instance',
    project,
    resources: { instances: [instance], containers: [instance], backups: [name] },
    mayCancel: false,
    run: async (operation) => {
      const backup: BackupRecord = {
        project,
        instance,
        name,
        id: services.uuid(),
        member: memberOf(services, project, instance),
        createdAt: clock.now().toISOString(),
        expiresAt,
        instanceOnly: body.instance_only || body.container_only || false,
        optimized,
        pending: { operation: operation.id, server },
      };
      const found = findInstance(services, project, instance);
      const { signal } = operation;
      await makeBackup(
        services,
        kind,
        backup,
        (transaction) => transaction.guard('instances', [project, instance], found.revision),
        () => write(services, backup, compression, { signal, update: (told) => operation.update(told) }),
        signal,
      );
      told(services, backup, 'created');
    },
  });
}

/** @throws LxdError `not-found` */
export function startBackupDelete(services: Services, ref: BackupRef): Promise<OperationView> {
  const { project, instance, name } = ref;
  findInstance(services, project, instance);
  findBackup(services, project, instance, name);
  return services.operations.start({
    class: 'task',
    description: 'Removing instance backup',
    project,
    // As LXD names it.
    resources: { container: [instance] },
    run: async () => {
      await dropBackup(services, kind, findBackup(services, project, instance, name).value);
      told(services, ref, 'deleted');
    },
  });
}

/** @throws LxdError `not-found`, `invalid` */
export function startBackupRename(services: Services, ref: BackupRef, to: string): Promise<OperationView> {
  const { project, instance, name } = ref;
  findInstance(services, project, instance);
  findBackup(services, project, instance, name);
  checkBackupName(to);
  if (to === '') throw new LxdError('invalid', 'name: is required');
  return services.operations.start({
    class: 'task',
    description: 'Renaming instance backup',
    project,
    resources: { instances: [instance], containers: [instance] },
    run: async ({ signal }) => {
      await renameBackup(services, kind, findBackup(services, project, instance, name), to, signal);
      told(services, { ...ref, name: to }, 'renamed');
    },
  });
}

/** What these servers were making when they ended goes. */
export const recoverInstanceBackups = (services: Services, servers: readonly string[]): Promise<void> =>
  recoverBackups(services, kind, servers);

export const backupDuties = (services: Services): Duty[] => [
  expiredBackups(services, kind, (backup) => startBackupDelete(services, backup)),
];
