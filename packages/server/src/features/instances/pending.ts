import { LxdError } from '@lxd-ts/core';
import type { InstanceRecord, Pending, Transaction, Versioned } from '@lxd-ts/state';
import { findInstance, type InstancesContext } from './context.ts';

/**
 * Puts an intent on record. `change` sees the record as it is then.
 * @param revision fails when the record has changed since (an If-Match was given)
 * @throws LxdError `not-found`, `invalid` while another intent is there, `precondition-failed`
 */
export async function intend(
  { services }: InstancesContext,
  project: string,
  name: string,
  pending: Pick<Pending, 'kind' | 'operation' | 'detail'>,
  change: (record: InstanceRecord) => InstanceRecord,
  {
    signal,
    revision,
    also,
  }: {
    signal: AbortSignal;
    revision?: number | undefined;
    /** What is committed together with it; losing a race is then the caller's. */
    also?: (after: InstanceRecord, transaction: Transaction) => void;
  },
): Promise<{ before: InstanceRecord; after: InstanceRecord }> {
  for (let attempt = 0; ; attempt++) {
    const found: Versioned<InstanceRecord> = findInstance(services, project, name);
    const { value: before } = found;
    if (before.pending)
      throw new LxdError('invalid', `Instance is busy running a "${before.pending.kind}" operation`);
    if (revision !== undefined && revision !== found.revision)
      throw new LxdError(
        'precondition-failed',
        "ETag doesn't match: the instance was changed in the meantime",
      );
    const after = { ...change(before), pending: { ...pending, server: services.server } };
    if (pending.kind === 'update') after.pending.detail = { before: JSON.stringify(before) };
    const transaction = services.records
      .transaction()
      .update('instances', [project, name], found.revision, after);
    also?.(after, transaction);
    try {
      await transaction.commit({ signal });
      return { before, after: withoutPending(after) };
    } catch (error) {
      const lost = error instanceof LxdError && error.code === 'precondition-failed';
      if (!lost || also || attempt >= 20) throw error;
    }
  }
}

export function withoutPending(record: InstanceRecord): InstanceRecord {
  const { pending: _pending, ...rest } = record;
  return rest;
}
