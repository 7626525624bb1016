import { findKey, type Config, type ConfigSchema } from '@lxd-ts/core';
import type { NetworkRecord, PoolRecord, Transaction } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import type { ClusterContext } from './context.ts';
import type { MemberConfigKey } from './control.ts';

type Part = Pick<PoolRecord | NetworkRecord, 'name' | 'memberConfig'>;

/** Keys of this pool or network that its members have each for itself, where any is set. */
function ownKeys(schema: ConfigSchema, { memberConfig }: Part): string[] {
  const set = new Set(Object.values(memberConfig).flatMap((config) => Object.keys(config)));
  return [...set]
    .filter((key) => !key.startsWith('volatile.') && findKey(schema, key)?.memberSpecific === true)
    .sort();
}

/** What a machine is asked for when it joins: its own options of every pool and network, empty. */
export function memberConfigKeys({
  services,
  drivers,
}: ClusterContext): (MemberConfigKey & { description: string })[] {
  const { records } = services;
  const asked = (entity: string, what: string, part: Part, schema: ConfigSchema) =>
    ownKeys(schema, part).map((key) => ({
      entity,
      name: part.name,
      key,
      value: '',
      description: `"${key}" property for ${what} "${part.name}"`,
    }));
  const pools = records
    .list('pools')
    .flatMap(({ value }) => asked('storage-pool', 'storage pool', value, drivers.pool(value.driver) ?? {}));
  const networks = records
    .list('networks', 'default')
    .flatMap(({ value }) => asked('network', 'network', value, drivers.network(value.type) ?? {}));
  return [...pools, ...networks];
}

const given = (keys: readonly MemberConfigKey[], entity: string, name: string): Config =>
  Object.fromEntries(
    keys
      .filter((one) => one.entity === entity && one.name === name && one.value !== '')
      .map(({ key, value }) => [key, value]),
  );

/**
 * Gives a new member its part of every pool and network that there is; it makes them when its agent is there.
 * Those whose creation is under way (`Pending`) are left to whoever creates them.
 */
export function takePart(
  { records }: Services,
  transaction: Transaction,
  member: string,
  keys: readonly MemberConfigKey[],
): void {
  for (const { value, revision } of records.list('pools')) {
    if (value.status !== 'Created') continue;
    const { name } = value;
    const memberConfig = { ...value.memberConfig, [member]: given(keys, 'storage-pool', name) };
    transaction
      .update('pools', [name], revision, { ...value, memberConfig })
      .put('arrears', [member, 'pool', '', name], { member, of: 'pool', project: '', name, was: null });
  }
  for (const { value, revision } of records.list('networks')) {
    if (value.status !== 'Created') continue;
    const { project, name } = value;
    const memberConfig = { ...value.memberConfig, [member]: given(keys, 'network', name) };
    transaction
      .update('networks', [project, name], revision, { ...value, memberConfig })
      .put('arrears', [member, 'network', project, name], {
        member,
        of: 'network',
        project,
        name,
        was: null,
      });
  }
}
