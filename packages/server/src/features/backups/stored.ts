import { LxdError, toLxdError } from '@lxd-ts/core';
import type { Kinds, Transaction, Versioned } from '@lxd-ts/state';
import type { Duty } from '../../cluster/leader.ts';
import type { Services } from '../../services.ts';
import { dropFile } from './files.ts';

const minuteMs = 60_000;
const commitMs = 60_000;
/** What a backup is of may get another name at the same moment. */
const attempts = 20;

type Kind = 'backups' | 'volumeBackups';
type Stored<K extends Kind> = Kinds[K]['record'];

/** How backups of one kind are kept: those of instances, or of custom volumes. */
export interface BackupKind<K extends Kind> {
  kind: K;
  idOf(backup: Stored<K>): Kinds[K]['id'];
  /** What it is of, for the log. */
  ownerOf(backup: Stored<K>): string;
  /** In LXD's words and with its code. */
  exists(backup: Stored<K>, verb: 'create' | 'rename'): LxdError;
}

/** By what never changes: it gets another name together with what it is of. */
const current = <K extends Kind>(
  { records }: Services,
  { kind }: BackupKind<K>,
  id: string,
): Versioned<Stored<K>> | undefined => records.list(kind).find(({ value }) => value.id === id);

/** Its record, whatever its name is by now, then its file. */
export async function dropBackup<K extends Kind>(
  services: Services,
  of: BackupKind<K>,
  backup: Stored<K>,
): Promise<void> {
  const signal = AbortSignal.timeout(commitMs);
  for (let attempt = 0; ; attempt++) {
    const found = current(services, of, backup.id);
    if (!found) break;
    try {
      await services.records
        .transaction()
        .delete(of.kind, of.idOf(found.value), found.revision)
        .commit({ signal });
    } catch (error) {
      if (attempt >= attempts || toLxdError(error).code !== 'precondition-failed') throw error;
    }
  }
  const { id, member, name } = backup;
  await dropFile(services, { id, member, name, instance: of.ownerOf(backup) });
}

/** It is whole. @throws LxdError `not-found` where what it is of is gone, and it with that */
async function settle<K extends Kind>(
  services: Services,
  of: BackupKind<K>,
  { id }: Stored<K>,
): Promise<void> {
  const signal = AbortSignal.timeout(commitMs);
  for (let attempt = 0; ; attempt++) {
    const found = current(services, of, id);
    if (!found) throw new LxdError('not-found', 'What was backed up is gone, and its backups with it');
    const { pending: _, ...whole } = found.value;
    try {
      await services.records
        .transaction()
        .update(of.kind, of.idOf(found.value), found.revision, whole as Stored<K>)
        .commit({ signal });
      return;
    } catch (error) {
      if (attempt >= attempts || toLxdError(error).code !== 'precondition-failed') throw error;
    }
  }
}

/**
 * Intent, file, outcome. A failure leaves nothing.
 * @param guard that what is backed up is still there
 * @throws LxdError as `of.exists`
 */
export async function makeBackup<K extends Kind>(
  services: Services,
  of: BackupKind<K>,
  backup: Stored<K>,
  guard: (transaction: Transaction) => Transaction,
  write: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const { records } = services;
  const isTaken = () => records.get(of.kind, ...of.idOf(backup)) !== undefined;
  if (isTaken()) throw of.exists(backup, 'create');
  await guard(records.transaction().create(of.kind, of.idOf(backup), backup))
    .commit({ signal })
    .catch((error: unknown) => {
      throw isTaken() ? of.exists(backup, 'create') : error;
    });
  try {
    await write();
    await settle(services, of, backup);
  } catch (error) {
    await dropBackup(services, of, backup);
    throw error;
  }
}

/** @throws LxdError as `of.exists`, `precondition-failed` */
export async function renameBackup<K extends Kind>(
  { records }: Services,
  of: BackupKind<K>,
  { value, revision }: Versioned<Stored<K>>,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const after: Stored<K> = { ...value, name: to };
  const isTaken = () => records.get(of.kind, ...of.idOf(after)) !== undefined;
  if (isTaken()) throw of.exists(after, 'rename');
  await records
    .transaction()
    .delete(of.kind, of.idOf(value), revision)
    .create(of.kind, of.idOf(after), after)
    .commit({ signal })
    .catch((error: unknown) => {
      throw isTaken() ? of.exists(after, 'rename') : error;
    });
}

/** What these servers were making when they ended goes. */
export async function recoverBackups<K extends Kind>(
  services: Services,
  of: BackupKind<K>,
  servers: readonly string[],
): Promise<void> {
  for (const { value } of services.records.list(of.kind)) {
    const { pending } = value;
    if (!pending || !servers.includes(pending.server)) continue;
    if (services.operations.isRunning(pending.operation)) continue;
    await dropBackup(services, of, value);
    services.log.info('removed a backup that was cut off', { of: of.ownerOf(value), backup: value.name });
  }
}

/** What the leader does: backups whose time is over go. */
export const expiredBackups = <K extends Kind>(
  services: Services,
  of: BackupKind<K>,
  remove: (backup: Stored<K>) => Promise<unknown>,
): Duty => ({
  name: `expired ${of.kind === 'backups' ? 'backups' : 'backups of volumes'}`,
  everyMs: minuteMs,
  async run({ signal }) {
    const now = services.clock.now();
    for (const { value } of services.records.list(of.kind)) {
      if (signal.aborted) return;
      if (!value.expiresAt || new Date(value.expiresAt) > now || value.pending) continue;
      try {
        await remove(value);
      } catch (error) {
        services.log.warn('a backup whose time is over stays', { error: toLxdError(error).message });
      }
    }
  },
});
