import { setTimeout as sleep } from 'node:timers/promises';
import { toLxdError } from '@lxd-ts/core';
import type { BackupRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';

const timeoutMs = 60_000;

/** After its record: of a member that cannot be reached now it goes when the member is back. Never throws. */
export async function dropFile(
  { agents, log }: Services,
  { id, member, name, instance }: Pick<BackupRecord, 'id' | 'member' | 'name' | 'instance'>,
): Promise<void> {
  try {
    await agents.get(member).deleteBackup(id, { signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    log.warn('the file of a backup stays until its member is back', {
      member,
      instance,
      backup: name,
      error: toLxdError(error).message,
    });
  }
}

/** Longer than what is new stays without a record: that may only not have come to us yet. */
const newMs = 15_000;

/**
 * A member is back: it keeps what is on record, now and when nothing of it is new any more.
 * @param signal aborts with the member's connection
 */
export async function dropOrphans(services: Services, member: string, signal: AbortSignal): Promise<void> {
  await keepRecorded(services, member);
  sleep(newMs, undefined, { signal, ref: false })
    .then(() => keepRecorded(services, member))
    .catch(() => undefined);
}

async function keepRecorded(services: Services, member: string): Promise<void> {
  const ids = (['backups', 'volumeBackups'] as const)
    .flatMap((kind) => services.records.list(kind).map(({ value }) => value))
    .filter((backup) => backup.member === member)
    .map(({ id }) => id);
  await services.agents.get(member).keepBackups(ids, { signal: AbortSignal.timeout(timeoutMs) });
}
