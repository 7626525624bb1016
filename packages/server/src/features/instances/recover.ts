import { toLxdError } from '@lxd-ts/core';
import type { InstanceRecord } from '@lxd-ts/state';
import { statusOf, isUp, type InstancesContext } from './context.ts';
import { withoutPending } from './pending.ts';
import { removeInstance } from './remove.ts';
import { finishRename } from './rename.ts';
import { effect } from './update.ts';

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
      await busy.queue({ project, name }, pending.kind, () => recoverOne(context, value, signal));
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
