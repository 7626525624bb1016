import type { Config } from '@lxd-ts/core';
import type { Records, Transaction, Versioned } from '@lxd-ts/state';
import { backupIdOf } from '../volume-backups/records.ts';

/** So many changes go into one transaction. */
const batchSize = 50;

const renamedKey = (all: Record<string, Config>, from: string, to: string): Record<string, Config> =>
  Object.fromEntries(Object.entries(all).map(([name, config]) => [name === from ? to : name, config]));

/**
 * Gives a member another name in all records. In batches, the member's own record last: cut off at any point,
 * the next call finishes it. Nothing else may change the member's records meanwhile.
 */
export async function renameMember(
  records: Records,
  from: string,
  to: string,
  {
    signal,
    keep = false,
  }: { signal: AbortSignal; /** Leaves the member's own record to the caller. */ keep?: boolean },
): Promise<void> {
  const each = async <T>(
    items: Versioned<T>[],
    change: (transaction: Transaction, item: Versioned<T>) => void,
  ): Promise<void> => {
    for (let at = 0; at < items.length; at += batchSize) {
      const transaction = records.transaction();
      for (const item of items.slice(at, at + batchSize)) change(transaction, item);
      await transaction.commit({ signal });
    }
  };
  const placed: [string, string][] = records
    .list('instances')
    .map(({ value }): [string, string] => [value.project, value.name])
    .filter(([project, name]) => records.get('placements', project, name)?.value.member === from);
  for (let at = 0; at < placed.length; at += batchSize) {
    const transaction = records.transaction();
    for (const id of placed.slice(at, at + batchSize)) {
      const { revision = 0, value } = records.get('placements', ...id) ?? {};
      if (value) transaction.update('placements', id, revision, { ...value, member: to });
    }
    await transaction.commit({ signal });
  }
  await each(
    records.list('images').filter(({ value }) => value.members.includes(from)),
    (transaction, { value, revision }) => {
      const members = value.members.map((name) => (name === from ? to : name));
      transaction.update('images', [value.project, value.fingerprint], revision, { ...value, members });
    },
  );
  await each(
    records.list('pools').filter(({ value }) => from in value.memberConfig),
    (transaction, { value, revision }) => {
      const memberConfig = renamedKey(value.memberConfig, from, to);
      transaction.update('pools', [value.name], revision, { ...value, memberConfig });
    },
  );
  await each(
    records.list('networks').filter(({ value }) => from in value.memberConfig),
    (transaction, { value, revision }) => {
      const memberConfig = renamedKey(value.memberConfig, from, to);
      transaction.update('networks', [value.project, value.name], revision, { ...value, memberConfig });
    },
  );
  await each(
    records.list('volumes').filter(({ value }) => value.member === from),
    (transaction, { value, revision }) => {
      const { pool, project, name } = value;
      transaction
        .delete('volumes', [pool, project, name, from], revision)
        .put('volumes', [pool, project, name, to], { ...value, member: to });
    },
  );
  await each(
    records.list('volumeSnapshots').filter(({ value }) => value.member === from),
    (transaction, { value, revision }) => {
      const { pool, project, volume, name } = value;
      transaction
        .delete('volumeSnapshots', [pool, project, volume, from, name], revision)
        .put('volumeSnapshots', [pool, project, volume, to, name], { ...value, member: to });
    },
  );
  await each(
    records.list('backups').filter(({ value }) => value.member === from),
    (transaction, { value, revision }) => {
      const { project, instance, name } = value;
      transaction.update('backups', [project, instance, name], revision, { ...value, member: to });
    },
  );
  await each(
    records.list('volumeBackups').filter(({ value }) => value.member === from),
    (transaction, { value, revision }) => {
      const after = { ...value, member: to };
      transaction
        .delete('volumeBackups', backupIdOf(value), revision)
        .put('volumeBackups', backupIdOf(after), after);
    },
  );
  await each(records.list('arrears', from), (transaction, { value }) =>
    transaction
      .remove('arrears', [from, value.of, value.project, value.name])
      .put('arrears', [to, value.of, value.project, value.name], { ...value, member: to }),
  );
  const config = records.get('memberServerConfig', from);
  if (config)
    await records
      .transaction()
      .delete('memberServerConfig', [from], config.revision)
      .put('memberServerConfig', [to], config.value)
      .commit({ signal });
  await each(
    records.list('instances').filter(({ value }) => value.config['volatile.evacuate.origin'] === from),
    (transaction, { value, revision }) => {
      const config = { ...value.config, 'volatile.evacuate.origin': to };
      transaction.update('instances', [value.project, value.name], revision, { ...value, config });
    },
  );
  const member = keep ? undefined : records.get('members', from);
  if (!member) return;
  const { pending: _pending, ...value } = member.value;
  // Under its new name it may have a new certificate already, and its change of name goes on.
  const { certificate = value.certificate, pending } = records.get('members', to)?.value ?? {};
  await records
    .transaction()
    .delete('members', [from], member.revision)
    .put('members', [to], { ...value, name: to, certificate, ...(pending ? { pending } : {}) })
    .commit({ signal });
}
