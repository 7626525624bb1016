import { toLxdError, type NetworkSpec, type PoolSpec } from '@lxd-ts/core';
import type { ArrearRecord, NetworkRecord, PoolRecord, Versioned } from '@lxd-ts/state';
import type { Services } from '../../../services.ts';
import type { Drivers } from '../drivers.ts';
import { partConfig } from '../members.ts';
import { networkParts, poolParts, type PartId, type PartKind } from './part-kind.ts';

export type AnyDrivers = Pick<Drivers, 'pool' | 'network'>;

/** So often it is tried again when others change the same. */
const attempts = 20;
const letGoTimeoutMs = 10_000;

const idOf = ({ member, of, project, name }: ArrearRecord): [string, string, string, string] => [
  member,
  of,
  project,
  name,
];

/** What a member has yet to do to this pool or network. */
export const arrearOf = (
  { records }: Pick<Services, 'records'>,
  member: string,
  of: ArrearRecord['of'],
  [project, name]: PartId,
): ArrearRecord | undefined => records.get('arrears', member, of, project, name)?.value;

/**
 * Puts on record that a member follows later. Before the change is complete, so that it is never forgotten.
 * @param was as the member has it; null: it has none. What is on record already stays, for the member still has that.
 * @param gone it is to be deleted there, whatever takes its name
 */
export async function owe(
  { records }: Services,
  arrear: Omit<ArrearRecord, 'gone'>,
  { gone, signal }: { gone?: boolean; signal: AbortSignal },
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const found = records.get('arrears', ...idOf({ ...arrear }));
    const was = found ? found.value.was : arrear.was;
    const transaction = records.transaction();
    // What it never had need not be deleted.
    if (gone && was === null) {
      if (!found) return;
      transaction.delete('arrears', idOf(arrear), found.revision);
    } else {
      const next: ArrearRecord = { ...arrear, was, ...(gone || found?.value.gone ? { gone: true } : {}) };
      if (found) transaction.update('arrears', idOf(arrear), found.revision, next);
      else transaction.create('arrears', idOf(arrear), next);
    }
    try {
      await transaction.commit({ signal });
      return;
    } catch (error) {
      if (toLxdError(error).code !== 'precondition-failed' || attempt >= attempts) throw error;
    }
  }
}

/** Of the servers of the control plane, one has the member do it. @returns false when another does */
async function claim(
  { records, server, peers }: Services,
  { value, revision }: Versioned<ArrearRecord>,
  signal: AbortSignal,
): Promise<boolean> {
  const { by } = value;
  if (by === server) return true;
  if (by !== undefined && peers.reachable().some(({ name }) => name === by)) return false;
  await records
    .transaction()
    .update('arrears', idOf(value), revision, { ...value, by: server })
    .commit({ signal });
  return true;
}

/** For whoever comes next. */
async function letGo({ records, server }: Services, id: [string, string, string, string]): Promise<void> {
  const found = records.get('arrears', ...id);
  if (found?.value.by !== server) return;
  const { by: _by, ...rest } = found.value;
  await records
    .transaction()
    .update('arrears', id, found.revision, rest)
    .commit({ signal: AbortSignal.timeout(letGoTimeoutMs) });
}

/** One arrear of one member. @returns false when it has to wait: what it is about is being changed */
async function settleOne<R extends PoolRecord | NetworkRecord, S extends PoolSpec | NetworkSpec>(
  services: Services,
  drivers: AnyDrivers,
  kind: PartKind<R, S>,
  arrear: Versioned<ArrearRecord>,
  signal: AbortSignal,
): Promise<boolean> {
  const { records, agents } = services;
  const { member, project, name, gone } = arrear.value;
  const id: PartId = [project, name];
  const found = kind.get(records, id);
  if (found?.value.pending) return false;
  const agent = agents.get(member);
  // Specifications come back from the records as they were put there.
  let was = arrear.value.was as S | null;
  const isPart = found?.value.status === 'Created' && Object.hasOwn(found.value.memberConfig, member);
  const wanted = isPart ? kind.spec(found.value, member) : undefined;
  if (was && (gone || !wanted)) {
    await kind.delete(agent, was, { signal });
    was = null;
  }
  const transaction = records.transaction().delete('arrears', idOf(arrear.value), arrear.revision);
  if (wanted && found) {
    if (was) {
      await kind.update(agent, was, wanted, { signal });
      kind.guard(transaction, id, found.revision);
    } else {
      const made = await kind.create(agent, wanted, { signal });
      const { own } = partConfig(schemaOf(drivers, found.value), made.config);
      const memberConfig = { ...found.value.memberConfig, [member]: own };
      kind.put(transaction, id, found.revision, { ...found.value, memberConfig });
    }
  } else kind.guard(transaction, id, found?.revision ?? 0);
  await transaction.commit({ signal });
  return true;
}

export const schemaOf = (drivers: AnyDrivers, record: PoolRecord | NetworkRecord) =>
  ('driver' in record ? drivers.pool(record.driver) : drivers.network(record.type)) ?? {};

/**
 * Has a member do what it has missed. What cannot be done is told, and stays for the next time.
 * @param only this pool or network
 */
export async function catchUp(
  services: Services,
  drivers: AnyDrivers,
  member: string,
  { signal }: { signal: AbortSignal },
  only?: { of: ArrearRecord['of']; id: PartId },
): Promise<void> {
  const { records, log } = services;
  const all = only
    ? [records.get('arrears', member, only.of, ...only.id)].filter((arrear) => arrear !== undefined)
    : records.list('arrears', member);
  for (const { value } of all) {
    using _turn = await services.lanes.enter(`arrears of ${member}`, signal);
    for (let attempt = 0; attempt < attempts; attempt++) {
      try {
        const found = records.get('arrears', ...idOf(value));
        if (!found || !(await claim(services, found, signal))) break;
        const arrear = records.get('arrears', ...idOf(value));
        if (arrear?.value.by !== services.server) continue;
        const settled =
          value.of === 'pool'
            ? await settleOne(services, drivers, poolParts, arrear, signal)
            : await settleOne(services, drivers, networkParts, arrear, signal);
        if (!settled) await letGo(services, idOf(value));
        break;
      } catch (error) {
        const { code, message } = toLxdError(error);
        if (code === 'precondition-failed' && !signal.aborted) continue;
        await letGo(services, idOf(value)).catch(() => undefined);
        if (signal.aborted) return;
        log.error(`a member cannot make its part of a ${value.of} as it should be; it is tried again later`, {
          member,
          [value.of]: value.name,
          error: message,
        });
        break;
      }
    }
  }
}

/** Members that were not there when this was changed, and are by now, follow at once. */
export async function catchUpThose(
  services: Services,
  drivers: AnyDrivers,
  members: readonly string[],
  only: { of: ArrearRecord['of']; id: PartId },
  signal: AbortSignal,
): Promise<void> {
  const online = services.agents.online();
  await Promise.all(
    members
      .filter((member) => online.includes(member))
      .map((member) => catchUp(services, drivers, member, { signal }, only)),
  );
}
