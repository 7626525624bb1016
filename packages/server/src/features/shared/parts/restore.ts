import { toLxdError, type InstanceSpec, type NetworkSpec, type PoolSpec } from '@lxd-ts/core';
import type { NetworkRecord, PoolRecord, Records } from '@lxd-ts/state';
import type { Services } from '../../../services.ts';
import { arrearOf } from './arrears.ts';
import { networkParts, poolParts, type PartKind } from './part-kind.ts';

interface Parts {
  pools: PoolSpec[];
  networks: NetworkSpec[];
}

/** The pools and networks of one member, as it has them: what it has missed comes after. */
export function partsOf(records: Records, member: string): Parts {
  const asThere = <R extends PoolRecord | NetworkRecord, S extends PoolSpec | NetworkSpec>(
    kind: PartKind<R, S>,
  ): S[] =>
    kind.list(records).flatMap(({ value }) => {
      if (value.status !== 'Created' || !Object.hasOwn(value.memberConfig, member)) return [];
      const arrear = arrearOf({ records }, member, kind.of, kind.id(value));
      if (!arrear) return [kind.spec(value, member)];
      return arrear.was && !arrear.gone ? [arrear.was as S] : [];
    });
  return { pools: asThere(poolParts), networks: asThere(networkParts) };
}

/**
 * Whether what a member was just told still is what it should have. What it owes is committed again as it is: another
 * server that had it follow meanwhile finds its own commit refused, and does it once more after us.
 */
async function stillRight(
  { records }: Services,
  member: string,
  parts: Parts,
  signal: AbortSignal,
): Promise<boolean> {
  const own = records.get('members', member);
  // From its commit on, we have seen all that came before it.
  const transaction = records.transaction().guard('members', [member], own?.revision ?? 0);
  for (const { value, revision } of records.list('arrears', member))
    transaction.update('arrears', [member, value.of, value.project, value.name], revision, value);
  try {
    await transaction.commit({ signal });
  } catch (error) {
    if (toLxdError(error).code !== 'precondition-failed') throw error;
    return false;
  }
  return JSON.stringify(partsOf(records, member)) === JSON.stringify(parts);
}

/** Has a member that connected put right what it has and runs. Servers do so at the same time, and while others change it. */
export async function restoreMember(
  services: Services,
  member: string,
  running: () => InstanceSpec[],
  signal: AbortSignal,
): Promise<void> {
  const { records, agents } = services;
  let parts: Parts;
  do {
    parts = partsOf(records, member);
    await agents.get(member).restore({ ...parts, instances: running() }, { signal });
  } while (!(await stillRight(services, member, parts, signal)));
}
