import { checkPoolName, findKey, LxdError, toLxdError, type Config, type ConfigSchema } from '@lxd-ts/core';
import type { PoolRecord } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import type { Drivers } from '../shared/drivers.ts';
import { effectTimeoutMs, isClustered, nodes, partConfig, setOnly, targetOf } from '../shared/members.ts';
import { asInternal, ownKey, sharedKey } from '../shared/parts/checks.ts';
import { volumeSchema } from '../volumes/config.ts';
import type { onMembers } from '../shared/parts/on-members.ts';

export interface StoragePoolsPost {
  name?: string;
  driver?: string;
  config?: Config | null;
  description?: string;
}

const invalid = (message: string): LxdError => new LxdError('invalid', message);
const internal = (message: string): LxdError => new LxdError('internal', message);

/** @throws LxdError `invalid`, worded as LXD words it */
export function checkPoolConfig(schema: ConfigSchema, config: Config): void {
  for (const [key, value] of Object.entries(config)) {
    if (key.startsWith('user.') || key.startsWith('volatile.')) continue;
    const found = findKey(schema, key);
    if (!found) throw invalid(`Invalid option "${key}"`);
    // What it says of new volumes is checked as what they say themselves.
    const { check } =
      (key.startsWith('volume.') && findKey(volumeSchema, key.slice('volume.'.length))) || found;
    const wrong = value === '' ? undefined : check(value);
    if (wrong !== undefined) throw invalid(`Invalid value for option "${key}": ${wrong}`);
  }
}

/**
 * Creation: at once, with the same options everywhere; or as LXD does it, first for each member with its own options
 * (`?target=`), then for all.
 */
export function poolCreation(
  services: Services,
  drivers: Pick<Drivers, 'pool'>,
  parts: Pick<
    ReturnType<typeof onMembers<PoolRecord, { name: string; driver: string; config: Config }>>,
    'create' | 'delete' | 'follow'
  >,
  told: { created(name: string, caller: Caller): void },
) {
  const { records } = services;

  /** What was half made goes; a pool that was defined member by member is `Pending` again. Idempotent. */
  async function takeBack(record: PoolRecord, signal: AbortSignal): Promise<void> {
    await parts.delete(record, signal);
    const defined = record.pending?.detail?.['defined'];
    if (defined === undefined) await records.transaction().remove('pools', [record.name]).commit({ signal });
    else await records.modify('pools', [record.name], () => JSON.parse(defined) as PoolRecord, { signal });
  }

  /** @param intended on record, with its intent */
  async function finish(intended: PoolRecord, signal: AbortSignal): Promise<void> {
    try {
      const made = await asInternal(() => parts.create(intended, signal));
      await records.modify('pools', [intended.name], () => made, { signal });
      void parts.follow(made, AbortSignal.timeout(effectTimeoutMs));
    } catch (error) {
      await takeBack(intended, AbortSignal.timeout(effectTimeoutMs)).catch((failure: unknown) =>
        services.log.error('taking back a half made storage pool failed; it is tried again later', {
          pool: intended.name,
          error: toLxdError(failure).message,
        }),
      );
      throw error;
    }
  }

  /** One member's part, with nothing made yet. */
  async function define(
    name: string,
    body: StoragePoolsPost,
    member: string,
    signal: AbortSignal,
  ): Promise<void> {
    const driver = body.driver ?? '';
    const schema = drivers.pool(driver);
    if (!schema) throw invalid('Unknown driver');
    const config = setOnly(body.config ?? {});
    const wrong = sharedKey(schema, config);
    if (wrong !== undefined) throw internal(`Config key "${wrong}" may not be used as member-specific key`);
    await asInternal(() => checkPoolConfig(schema, config));
    const found = records.get('pools', name);
    if (!found) {
      const description = body.description ?? '';
      const memberConfig = { [member]: config };
      const record: PoolRecord = { name, driver, description, status: 'Pending', config: {}, memberConfig };
      await records.transaction().create('pools', [name], record).commit({ signal });
      return;
    }
    const { value, revision } = found;
    if (value.status !== 'Pending' || value.pending) throw internal('Storage pool is not in pending state');
    if (value.driver !== driver) throw internal('Storage pool already exists with a different driver');
    if (Object.hasOwn(value.memberConfig, member))
      throw invalid(`The storage pool already defined on member "${member}"`);
    const memberConfig = { ...value.memberConfig, [member]: config };
    await records
      .transaction()
      .update('pools', [name], revision, { ...value, memberConfig })
      .commit({ signal });
  }

  /** What every member has defined is made. */
  async function complete(
    defined: PoolRecord,
    body: StoragePoolsPost,
    revision: number,
    signal: AbortSignal,
  ) {
    const { name, driver } = defined;
    if (defined.pending) throw internal('Storage pool is not in pending state');
    if (body.driver !== driver)
      throw internal(
        `Requested storage pool driver "${body.driver ?? ''}" doesn't match driver in existing database record "${driver}"`,
      );
    const schema = drivers.pool(driver) ?? {};
    const config = setOnly(body.config ?? {});
    const wrong = ownKey(schema, config);
    if (wrong !== undefined) throw internal(`Config key "${wrong}" is cluster member specific`);
    const missing = nodes(services).filter((member) => !Object.hasOwn(defined.memberConfig, member));
    if (missing.length > 0) throw internal(`Pool not defined on nodes: ${missing.join(', ')}`);
    await asInternal(() => checkPoolConfig(schema, config));
    const detail = { defined: JSON.stringify(defined) };
    const pending = { kind: 'create' as const, operation: '', server: services.server, detail };
    const description = body.description || defined.description;
    const record: PoolRecord = { ...defined, description, config };
    await records
      .transaction()
      .update('pools', [name], revision, { ...record, pending })
      .commit({ signal });
    await finish({ ...record, pending }, signal);
  }

  return {
    takeBack,

    /** @throws LxdError `invalid`, `conflict`, `internal` (as LXD) */
    async create(body: StoragePoolsPost, caller: Caller, target: string | null): Promise<void> {
      const signal = AbortSignal.timeout(effectTimeoutMs);
      const { name = '', driver = '' } = body;
      const member = targetOf(services, target);
      checkPoolName(name);
      if (driver === '') throw invalid('No driver provided');
      if (member !== undefined) {
        await define(name, body, member, signal);
        return;
      }
      const found = records.get('pools', name);
      if (found?.value.status === 'Pending') {
        await complete(found.value, body, found.revision, signal);
        told.created(name, caller);
        return;
      }
      if (found && isClustered(services)) throw internal('The storage pool is already created');
      if (found) throw new LxdError('conflict', 'The storage pool already exists: The record already exists');
      const schema = drivers.pool(driver);
      if (!schema) throw internal('Unknown driver');
      const config = setOnly(body.config ?? {});
      await asInternal(() => checkPoolConfig(schema, config));
      const { shared, own } = partConfig(schema, config);
      const record: PoolRecord = {
        name,
        driver,
        description: body.description ?? '',
        status: 'Pending',
        config: shared,
        memberConfig: Object.fromEntries(nodes(services).map((node) => [node, own])),
        pending: { kind: 'create', operation: '', server: services.server },
      };
      await records.transaction().create('pools', [name], record).commit({ signal });
      await finish(record, signal);
      told.created(name, caller);
    },
  };
}
