import { LxdError, toLxdError } from '@lxd-ts/core';
import type { OperationView, RunningOperation } from '@lxd-ts/operations';
import type { BackupRecord } from '@lxd-ts/state';
import type { Duty } from '../../cluster/leader.ts';
import type { Services } from '../../services.ts';
import { findInstance, memberOf } from '../instances/context.ts';
import { expandIn, rootDisk } from '../instances/expand.ts';
import { instanceSpec } from '../instances/spec.ts';
import { descriptionOf } from '../descriptions/content.ts';
import { snapshotsToSend } from '../migration/snapshots.ts';
import { dropFile } from './files.ts';
import { findBackup } from './records.ts';

const minuteMs = 60_000;
const commitMs = 60_000;

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

/** What LXD calls them; a member's tar knows how. */
export const algorithms = ['none', 'bzip2', 'gzip', 'lz4', 'lzma', 'xz', 'zstd'];

/** @throws LxdError `invalid` */
export function checkAlgorithm(name: string): void {
  if (!algorithms.includes(name))
    throw new LxdError(
      'invalid',
      `Invalid compression algorithm "${name}"; use one of ${algorithms.join(', ')}`,
    );
}

/** '' for none; what no time is named by was checked at the edge. */
export const timeOf = (text: string | null | undefined): string =>
  !text || text.startsWith('0001-') ? '' : new Date(text).toISOString();

const told = ({ events }: Services, { project, instance, name }: BackupRef, action: string): void =>
  events.lifecycle({
    action: `instance-backup-${action}`,
    source: `/1.0/instances/${instance}/backups/${name}`,
    project,
  });

/** As LXD: one more than the highest there is. */
export function nextName(taken: readonly string[]): string {
  const numbers = taken.map((name) => Number(/^backup(\d+)$/.exec(name)?.[1] ?? -1));
  return `backup${Math.max(-1, ...numbers) + 1}`;
}

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

async function make(
  services: Services,
  backup: BackupRecord,
  compression: string,
  { signal, update }: Pick<RunningOperation, 'signal' | 'update'>,
): Promise<void> {
  const { project, instance, name } = backup;
  const key: [string, string, string] = [project, instance, name];
  try {
    const { value } = findInstance(services, project, instance);
    const spec = instanceSpec(services, value, backup.member);
    const { index, snapshots } = indexOf(services, backup);
    await services.agents
      .get(backup.member)
      .createBackup(
        spec,
        { id: backup.id, snapshots, index, compression, optimized: backup.optimized },
        { signal, onProgress: update },
      );
    // The instance may be gone by now, and this with it.
    await services.records.modify('backups', key, ({ pending: _, ...rest }) => rest, {
      signal: AbortSignal.timeout(commitMs),
    });
  } catch (error) {
    await drop(services, backup);
    throw error;
  }
}

/** Its record, then its file. */
async function drop(services: Services, backup: BackupRecord): Promise<void> {
  const { project, instance, name } = backup;
  await services.records
    .transaction()
    .remove('backups', [project, instance, name])
    .commit({ signal: AbortSignal.timeout(commitMs) });
  await dropFile(services, backup);
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
  const name =
    body.name || nextName(records.list('backups', project, instance).map(({ value }) => value.name));
  if (name.includes('/')) throw new LxdError('invalid', 'Backup names may not contain slashes');
  const expiresAt = timeOf(body.expires_at);
  const fallback = records.get('serverConfig')?.value.config['backups.compression_algorithm'];
  const compression = body.compression_algorithm || fallback || 'gzip';
  checkAlgorithm(compression);
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
        optimized: body.optimized_storage ?? false,
        pending: { operation: operation.id, server },
      };
      const taken = () => records.get('backups', project, instance, name) !== undefined;
      const exists = () =>
        new LxdError('conflict', `Create backup: Backup "${instance}/${name}" already exists`);
      if (taken()) throw exists();
      const found = findInstance(services, project, instance);
      await records
        .transaction()
        .create('backups', [project, instance, name], backup)
        .guard('instances', [project, instance], found.revision)
        .commit({ signal: operation.signal })
        .catch((error: unknown) => {
          throw taken() ? exists() : error;
        });
      await make(services, backup, compression, {
        signal: operation.signal,
        update: (progress) => operation.update(progress),
      });
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
      await drop(services, findBackup(services, project, instance, name));
      told(services, ref, 'deleted');
    },
  });
}

/** @throws LxdError `not-found`, `invalid` */
export function startBackupRename(services: Services, ref: BackupRef, to: string): Promise<OperationView> {
  const { project, instance, name } = ref;
  findInstance(services, project, instance);
  findBackup(services, project, instance, name);
  if (to.includes('/')) throw new LxdError('invalid', 'Backup names may not contain slashes');
  if (to === '') throw new LxdError('invalid', 'name: is required');
  return services.operations.start({
    class: 'task',
    description: 'Renaming instance backup',
    project,
    resources: { instances: [instance], containers: [instance] },
    run: async ({ signal }) => {
      const found = services.records.get('backups', project, instance, name);
      const backup = findBackup(services, project, instance, name);
      const taken = () => services.records.get('backups', project, instance, to) !== undefined;
      const exists = () => new LxdError('conflict', `Backup "${instance}/${to}" already exists`);
      if (taken()) throw exists();
      await services.records
        .transaction()
        .delete('backups', [project, instance, name], found?.revision ?? 0)
        .create('backups', [project, instance, to], { ...backup, name: to })
        .commit({ signal })
        .catch((error: unknown) => {
          throw taken() ? exists() : error;
        });
      told(services, { ...ref, name: to }, 'renamed');
    },
  });
}

/** What these servers were making when they ended goes. */
export async function recoverBackups(services: Services, servers: readonly string[]): Promise<void> {
  for (const { value } of services.records.list('backups')) {
    const { pending } = value;
    if (!pending || !servers.includes(pending.server)) continue;
    if (services.operations.isRunning(pending.operation)) continue;
    await drop(services, value);
    services.log.info('removed a backup that was cut off', { instance: value.instance, backup: value.name });
  }
}

/** What the leader does: backups whose time is over go. */
export const backupDuties = (services: Services): Duty[] => [
  {
    name: 'expired backups',
    everyMs: minuteMs,
    async run({ signal }) {
      const now = services.clock.now();
      for (const { value } of services.records.list('backups')) {
        if (signal.aborted) return;
        if (!value.expiresAt || new Date(value.expiresAt) > now || value.pending) continue;
        await startBackupDelete(services, value).catch((error: unknown) =>
          services.log.warn('a backup whose time is over stays', { error: toLxdError(error).message }),
        );
      }
    },
  },
];
