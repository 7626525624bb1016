import { LxdError, toLxdError } from '@lxd-ts/core';
import type { MemberRecord, Transaction, Versioned } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { effectTimeoutMs } from '../shared/members.ts';
import { networkParts, poolParts } from '../shared/parts/part-kind.ts';
import { poolSpecsOn } from '../instances/spec.ts';
import {
  findMember,
  holding,
  isShadow,
  memberUrl,
  mustBeClustered,
  tell,
  type ClusterContext,
} from './context.ts';
import { backupIdOf } from '../volume-backups/records.ts';

/** So many records change in one transaction. */
const batch = 100;

const placedOn = ({ records }: Services, member: string): [project: string, name: string][] =>
  records
    .list('instances')
    .map(({ value }): [string, string] => [value.project, value.name])
    .filter((id) => records.get('placements', ...id)?.value.member === member);

/** @throws LxdError as LXD's, while there is something that only this member has */
function mustBeEmpty({ services }: ClusterContext, name: string): void {
  const instances = placedOn(services, name).map(([, instance]) => instance);
  if (instances.length > 0)
    throw new LxdError('internal', `Node still has the following containers: ${instances.join(', ')}`);
  const images = services.records
    .list('images')
    .filter(({ value: { members } }) => members.length === 1 && members[0] === name)
    .map(({ value }) => value.fingerprint);
  if (images.length > 0)
    throw new LxdError('internal', `Node still has the following images: ${images.join(', ')}`);
  const volumes = services.records.list('volumes').filter(({ value }) => value.member === name);
  if (volumes.length > 0)
    throw new LxdError(
      'internal',
      `Node still has the following custom volumes: ${volumes.map(({ value }) => value.name).join(', ')}`,
    );
}

/** Everything of the cluster goes from a member that is there. Idempotent. */
async function clear({ services }: ClusterContext, name: string, signal: AbortSignal): Promise<void> {
  const { records, agents } = services;
  const agent = agents.get(name);
  const pools = records.list('pools').filter(({ value }) => Object.hasOwn(value.memberConfig, name));
  const specs = poolSpecsOn({ records }, name);
  for (const { value } of records.list('images'))
    if (value.members.includes(name)) await agent.deleteImage(value.fingerprint, specs, { signal });
  for (const { value } of records.list('networks')) {
    if (value.status === 'Created' && Object.hasOwn(value.memberConfig, name))
      await networkParts.delete(agent, networkParts.spec(value, name), { signal });
  }
  for (const { value } of pools) {
    if (value.status === 'Created') await poolParts.delete(agent, poolParts.spec(value, name), { signal });
  }
}

/** Nothing on record speaks of the member any more, its own record last. In batches: cut off, the next call goes on. */
async function forget({ services }: ClusterContext, name: string, signal: AbortSignal): Promise<void> {
  const { records } = services;
  const each = async <T>(all: T[], change: (transaction: Transaction, one: T) => void): Promise<void> => {
    for (let at = 0; at < all.length; at += batch) {
      const transaction = records.transaction();
      for (const one of all.slice(at, at + batch)) change(transaction, one);
      await transaction.commit({ signal });
    }
  };
  const without = <T>(all: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(all).filter(([member]) => member !== name));
  // By force only: what it had is lost. What is of an instance goes before it, or the next of its name would have it.
  const lostInstances = placedOn(services, name);
  await each(
    lostInstances.flatMap((id) => records.list('snapshots', ...id)),
    (transaction, { value }) => transaction.remove('snapshots', [value.project, value.instance, value.name]),
  );
  const ofLost = new Set(lostInstances.map((id) => id.join('/')));
  await each(
    records
      .list('backups')
      .filter(
        ({ value: { member, project, instance } }) => member === name || ofLost.has(`${project}/${instance}`),
      ),
    (transaction, { value }) => transaction.remove('backups', [value.project, value.instance, value.name]),
  );
  await each(lostInstances, (transaction, id) =>
    transaction.remove('instances', id).remove('placements', id).remove('statuses', id),
  );
  await each(
    records.list('images').filter(({ value }) => value.members.includes(name)),
    (transaction, { value, revision }) => {
      const id: [string, string] = [value.project, value.fingerprint];
      const members = value.members.filter((member) => member !== name);
      if (members.length > 0) transaction.update('images', id, revision, { ...value, members });
      else transaction.delete('images', id, revision);
    },
  );
  await each(
    records.list('volumes').filter(({ value }) => value.member === name),
    (transaction, { value }) =>
      transaction.remove('volumes', [value.pool, value.project, value.name, value.member]),
  );
  await each(
    records.list('imageVolumes').filter(({ value }) => value.member === name),
    (transaction, { value }) =>
      transaction.remove('imageVolumes', [value.pool, value.fingerprint, value.member]),
  );
  await each(
    records.list('volumeSnapshots').filter(({ value }) => value.member === name),
    (transaction, { value: { pool, project, volume, member, name: snapshot } }) =>
      transaction.remove('volumeSnapshots', [pool, project, volume, member, snapshot]),
  );
  await each(
    records.list('volumeBackups').filter(({ value }) => value.member === name),
    (transaction, { value }) => transaction.remove('volumeBackups', backupIdOf(value)),
  );
  const lost = (project: string, target: string) => records.get('images', project, target) === undefined;
  await each(
    records.list('imageAliases').filter(({ value }) => lost(value.project, value.target)),
    (transaction, { value, revision }) =>
      transaction.delete('imageAliases', [value.project, value.name], revision),
  );
  await each(
    records.list('pools').filter(({ value }) => Object.hasOwn(value.memberConfig, name)),
    (transaction, { value, revision }) =>
      transaction.update('pools', [value.name], revision, {
        ...value,
        memberConfig: without(value.memberConfig),
      }),
  );
  await each(
    records.list('networks').filter(({ value }) => Object.hasOwn(value.memberConfig, name)),
    (transaction, { value, revision }) =>
      transaction.update('networks', [value.project, value.name], revision, {
        ...value,
        memberConfig: without(value.memberConfig),
      }),
  );
  await each(records.list('arrears', name), (transaction, { value }) =>
    transaction.remove('arrears', [value.member, value.of, value.project, value.name]),
  );
  await each(
    records.list('joinTokens').filter(({ value }) => value.server === name),
    (transaction, { value }) => transaction.remove('joinTokens', [value.id]),
  );
  await records
    .transaction()
    .remove('fences', [name])
    .remove('memberServerConfig', [name])
    .remove('memberStatuses', [name])
    .remove('members', [name])
    .commit({ signal });
}

async function finish(
  context: ClusterContext,
  name: string,
  force: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (!force) await clear(context, name, signal);
  await context.control.removeMember(name, { force }, { signal });
  for (let attempt = 0; ; attempt++) {
    try {
      await forget(context, name, signal);
      return;
    } catch (error) {
      if (toLxdError(error).code !== 'precondition-failed' || attempt >= batch) throw error;
    }
  }
}

/**
 * Removes a member from the cluster.
 * @param force it may be dead: its instances, and the images that only it has, are lost
 * @throws LxdError
 */
export async function removeMember(
  context: ClusterContext,
  name: string,
  { force, caller }: { force: boolean; caller: Caller },
): Promise<void> {
  mustBeClustered(context);
  const { services } = context;
  const { records } = services;
  const found: Versioned<MemberRecord> = findMember(services, name);
  if (records.list('members').filter(({ value }) => !isShadow(value)).length < 2)
    throw new LxdError('invalid', 'The only member of a cluster cannot be removed');
  const { pending: before } = found.value;
  if (before && !(before.kind === 'delete' && force))
    throw new LxdError('conflict', `Cluster member "${name}" is busy: ${before.kind}`);
  if (!force) {
    mustBeEmpty(context, name);
    services.agents.get(name);
  }
  await holding(context, name, () => remove(context, found, force));
  tell(services, 'cluster-member-removed', memberUrl(name), caller);
}

/** Intent, effect, outcome. */
async function remove(
  context: ClusterContext,
  found: Versioned<MemberRecord>,
  force: boolean,
): Promise<void> {
  const { records, server } = context.services;
  const { name } = found.value;
  const signal = AbortSignal.timeout(effectTimeoutMs);
  const detail = { force: String(force) };
  const pending = { kind: 'delete' as const, operation: '', server, detail };
  await records
    .transaction()
    .update('members', [name], found.revision, { ...found.value, pending })
    .commit({ signal });
  try {
    // Somebody may have used it before the intent was on record.
    if (!force) mustBeEmpty(context, name);
    await finish(context, name, force, signal);
  } catch (error) {
    const back = { signal: AbortSignal.timeout(effectTimeoutMs) };
    await records
      .modify('members', [name], ({ pending: _pending, ...record }) => record, back)
      .catch(() => undefined);
    throw error;
  }
}

/** Goes on with a removal that was cut off. */
export const finishRemoval = (
  context: ClusterContext,
  { name, pending }: MemberRecord,
  signal: AbortSignal,
) => finish(context, name, pending?.detail?.['force'] === 'true', signal);
