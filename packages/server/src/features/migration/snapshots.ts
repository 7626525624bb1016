import { LxdError } from '@lxd-ts/core';
import type { MigratedSnapshot } from '@lxd-ts/rpc';
import type { InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';

const maxAttempts = 20;

/** Of an instance, oldest first. */
export function snapshotsToSend(_services: Services, _project: string, _name: string): MigratedSnapshot[] {
  return [];
}

/** An instance that came is whole: it and its snapshots are on record at once. */
export async function recordReceived(
  { records }: Services,
  { project, name }: Pick<InstanceRecord, 'project' | 'name'>,
  _snapshots: readonly MigratedSnapshot[],
  { signal }: { signal: AbortSignal },
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const found = records.get('instances', project, name);
    if (!found) throw new LxdError('not-found', 'Instance not found');
    const { pending: _pending, ...value } = found.value;
    try {
      await records
        .transaction()
        .update('instances', [project, name], found.revision, value)
        .commit({ signal });
      return;
    } catch (error) {
      const lost = error instanceof LxdError && error.code === 'precondition-failed';
      if (!lost || attempt >= maxAttempts) throw error;
    }
  }
}
