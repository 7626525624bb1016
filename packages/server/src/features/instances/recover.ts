import { toLxdError } from '@lxd-ts/core';
import type { InstanceRecord, Pending } from '@lxd-ts/state';
import { statusOf, isUp, type InstancesContext } from './context.ts';
import { settleMove } from './move.ts';
import { withoutPending } from './pending.ts';
import { finishRebuild } from './rebuild.ts';
import { dropRefresh, finishRefresh } from './refresh.ts';
import { removeInstance } from './remove.ts';
import { finishRename } from './rename.ts';
import type { InstanceSourceBody } from './requests.ts';
import { finishRestore } from './restore.ts';
import { dropSnapshot, finishDelete, finishRename as finishSnapshotRename } from './snapshots.ts';
import { effect } from './update.ts';

async function recoverSnapshot(
  context: InstancesContext,
  record: InstanceRecord,
  { kind, detail }: Pending,
  signal: AbortSignal,
): Promise<void> {
  const { project, name } = record;
  const ref = { project, name, snapshot: detail?.['snapshot'] ?? '' };
  if (kind === 'snapshot') await dropSnapshot(context, ref);
  else if (kind === 'snapshot-delete') await finishDelete(context, ref, signal);
  else if (kind === 'restore') await finishRestore(context, record, ref.snapshot, signal);
  else await finishSnapshotRename(context, ref, detail?.['to'] ?? ref.snapshot, signal);
}

/** Its source may be another by now, or gone: then nothing that is not on record stays of it. */
async function recoverRefresh(
  context: InstancesContext,
  record: InstanceRecord,
  { detail }: Pending,
  signal: AbortSignal,
): Promise<void> {
  const { source } = detail ?? {};
  if (source === undefined) {
    // From another server, which has given it up.
    await dropRefresh(context, record);
    return;
  }
  try {
    await finishRefresh(context, record, JSON.parse(source) as InstanceSourceBody, { signal });
  } catch (error) {
    if (toLxdError(error).code === 'unavailable') throw error;
    await dropRefresh(context, record);
  }
}

async function recoverOne(
  context: InstancesContext,
  record: InstanceRecord,
  signal: AbortSignal,
): Promise<void> {
  const { services } = context;
  const { project, name, pending } = record;
  switch (pending?.kind) {
    case 'create':
    case 'delete':
      await removeInstance(services, project, name, signal);
      break;
    case 'rename':
      if (isUp(statusOf(services, project, name)))
        await services.records.modify('instances', [project, name], withoutPending, { signal });
      else await finishRename(context, withoutPending(record), pending.detail?.['to'] ?? name, signal);
      break;
    case 'update': {
      const before = JSON.parse(pending.detail?.['before'] ?? 'null') as InstanceRecord | null;
      await effect(context, before ?? withoutPending(record), withoutPending(record), signal);
      break;
    }
    case 'snapshot':
    case 'snapshot-delete':
    case 'snapshot-rename':
    case 'restore':
      await recoverSnapshot(context, record, pending, signal);
      break;
    case 'move':
      await settleMove(context, record, pending, signal);
      break;
    case 'refresh':
      await recoverRefresh(context, withoutPending(record), pending, signal);
      break;
    case 'rebuild':
      await finishRebuild(context, withoutPending(record), pending.detail?.['fingerprint'] ?? '', signal);
      break;
    case undefined:
  }
}

/**
 * Finishes or rolls back what servers left half done: creations go, deletions and renames are finished, changes are
 * put into effect again. What cannot be reached stays for the next time.
 * @param servers names of API servers that no longer work on anything
 * @returns how many are still pending
 */
export async function recoverInstances(
  context: InstancesContext,
  servers: readonly string[],
  { signal }: { signal: AbortSignal },
): Promise<number> {
  const { services, busy } = context;
  let left = 0;
  for (const { value } of services.records.list('instances')) {
    const { project, name, pending } = value;
    if (!pending || !servers.includes(pending.server) || busy.action(project, name)) continue;
    try {
      const done = await busy.queue({ project, name }, pending.kind, async () => {
        // Much may have happened before it was its turn, and we may be at it ourselves.
        const now = services.records.get('instances', project, name)?.value;
        if (now?.pending?.operation !== pending.operation) return false;
        if (services.operations.isRunning(pending.operation)) return false;
        await recoverOne(context, now, signal);
        return true;
      });
      if (!done) continue;
      services.log.info(`recovered an instance from an unfinished ${pending.kind}`, {
        project,
        instance: name,
      });
    } catch (error) {
      left += 1;
      services.log.warn(`recovery of an unfinished ${pending.kind} failed`, {
        project,
        instance: name,
        error: toLxdError(error).message,
      });
    }
  }
  return left;
}
