import { LxdError, toLxdError, type Config } from '@lxd-ts/core';
import type { PoolRecord, Versioned } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { InFlight } from '../shared/in-flight.ts';
import { poolSpec } from '../instances/spec.ts';
import type { Drivers } from '../shared/drivers.ts';
import {
  aloneOn,
  effectTimeoutMs,
  locations,
  partConfig,
  setOnly,
  shownConfig,
  targetOf,
} from '../shared/members.ts';
import { sharedKey } from '../shared/parts/checks.ts';
import { onMembers } from '../shared/parts/on-members.ts';
import { poolParts } from '../shared/parts/part-kind.ts';
import { statusView } from '../shared/parts/status.ts';
import { usedBy } from '../shared/used-by.ts';
import { listVolumes } from '../volumes/list.ts';
import { snapshotsIn } from '../volumes/roots.ts';
import { checkPoolConfig, poolCreation, type StoragePoolsPost } from './create.ts';
import { forgetUnpacked } from '../volumes/image-volumes.ts';
import { imageUrl } from '../images/view.ts';

export type { StoragePoolsPost } from './create.ts';

export interface StoragePoolPut {
  config?: Config | null;
  description?: string;
}

export interface ChangeOptions {
  caller: Caller;
  /** The record's, when the caller said which one it means. */
  revision?: number | undefined;
  /** The member whose own options are meant. */
  target?: string | null;
}

const invalid = (message: string): LxdError => new LxdError('invalid', message);
const url = (name: string): string => `/1.0/storage-pools/${encodeURIComponent(name)}`;
const mustBeEmpty = 'The storage pool is currently in use';

const withoutPending = ({ pending: _pending, ...record }: PoolRecord): PoolRecord => record;

const hiddenOf = (config: Config | undefined): Config =>
  Object.fromEntries(Object.entries(config ?? {}).filter(([key]) => key.startsWith('volatile.')));

export function storagePoolsService(services: Services, drivers: Pick<Drivers, 'pool' | 'network'>) {
  const { records, agents, events } = services;
  const parts = onMembers(services, drivers, poolParts);

  const lifecycle = (action: string, name: string, { username, protocol }: Caller) =>
    events.lifecycle({
      action: `storage-pool-${action}`,
      source: url(name),
      project: 'default',
      requestor: { username, protocol },
    });

  /** @throws LxdError `not-found` */
  function find(name: string): Versioned<PoolRecord> {
    const found = records.get('pools', name);
    if (!found) throw new LxdError('not-found', 'Storage pool not found');
    return found;
  }

  const users = (name: string): string[] | null => {
    const devices = usedBy(services, (device) => device['type'] === 'disk' && device['pool'] === name);
    const projects = new Set(records.list('volumes', name).map(({ value }) => value.project));
    const volumes = [...projects].flatMap((project) =>
      listVolumes(services, { pool: name, project, type: 'custom' }).map(({ url }) => url),
    );
    const snapshots = snapshotsIn(services, name);
    return volumes.length + snapshots.length > 0
      ? [...new Set([...(devices ?? []), ...volumes, ...snapshots])].sort()
      : devices;
  };

  /** Unpacked images, too: they keep no pool from being deleted. */
  const shownUsers = (name: string): string[] | null => {
    const images = records.list('imageVolumes', name).map(({ value }) => imageUrl(value.fingerprint));
    return images.length > 0 ? [...new Set([...images, ...(users(name) ?? [])])].sort() : users(name);
  };

  /** Idempotent. A pool that was never made is only forgotten. */
  async function remove(record: PoolRecord, signal: AbortSignal): Promise<void> {
    if (record.status !== 'Pending' || record.pending?.kind === 'create') await parts.delete(record, signal);
    const unpacked = records.list('imageVolumes', record.name).map(({ value }) => value);
    await forgetUnpacked(services, unpacked, { signal });
    await records.transaction().remove('pools', [record.name]).commit({ signal });
    void parts.follow(record, AbortSignal.timeout(effectTimeoutMs));
  }

  const creation = poolCreation(services, drivers, parts, {
    created: (name, caller) => lifecycle('created', name, caller),
  });

  /** The effect of a change that is on record; a failure takes the record back too. */
  async function settle(before: PoolRecord, after: PoolRecord, signal: AbortSignal): Promise<void> {
    const id: [string] = [after.name];
    try {
      await parts.update(before, after, signal);
    } catch (error) {
      const back = { signal: AbortSignal.timeout(effectTimeoutMs) };
      await records.modify('pools', id, () => withoutPending(before), back);
      throw error;
    }
    await records.modify('pools', id, withoutPending, { signal });
    void parts.follow(after, AbortSignal.timeout(effectTimeoutMs));
  }

  async function commit(
    found: Versioned<PoolRecord>,
    after: PoolRecord,
    { caller, revision = found.revision }: ChangeOptions,
  ): Promise<void> {
    const signal = AbortSignal.timeout(effectTimeoutMs);
    const before = found.value;
    const { name } = before;
    if (before.status === 'Pending') {
      // There is nothing yet that could change.
      await records.transaction().update('pools', [name], revision, after).commit({ signal });
    } else {
      const detail = { before: JSON.stringify(before) };
      const pending = { kind: 'update' as const, operation: '', server: services.server, detail };
      await records
        .transaction()
        .update('pools', [name], revision, { ...after, pending })
        .commit({ signal });
      await settle(before, after, signal);
    }
    lifecycle('updated', name, caller);
  }

  /** One member's own options. @param next of what that member sees */
  async function changeOwn(
    name: string,
    member: string,
    next: (shown: Config) => Config,
    options: ChangeOptions,
  ): Promise<void> {
    const found = find(name);
    const { value: before } = found;
    if (before.pending) throw new LxdError('conflict', `The storage pool is busy: ${before.pending.kind}`);
    const schema = drivers.pool(before.driver) ?? {};
    const own = before.memberConfig[member] ?? {};
    const wanted = next(own);
    const wrong = sharedKey(schema, wanted, before.config);
    if (wrong !== undefined)
      throw invalid(`Config key "${wrong}" may not be used as cluster member specific key`);
    const set = setOnly(partConfig(schema, wanted).own);
    checkPoolConfig(schema, set);
    if (before.status !== 'Pending' && set['source'] !== own['source'])
      throw new LxdError('internal', 'Pool source cannot be changed when not in pending state');
    const memberConfig = { ...before.memberConfig, [member]: { ...hiddenOf(own), ...set } };
    await commit(found, { ...before, memberConfig }, options);
  }

  /** What holds for all; a machine that is alone has its own options among them. */
  async function change(
    name: string,
    next: (record: PoolRecord, shown: Config) => { config: Config; description: string },
    options: ChangeOptions,
  ): Promise<void> {
    const found = find(name);
    const { value: before } = found;
    if (before.status === 'Pending')
      throw invalid('Cannot update storage pool global config when not in created state');
    if (before.pending) throw new LxdError('conflict', `The storage pool is busy: ${before.pending.kind}`);
    const schema = drivers.pool(before.driver) ?? {};
    const alone = aloneOn(services);
    const own = alone === undefined ? {} : (before.memberConfig[alone] ?? {});
    const wanted = next(before, { ...before.config, ...own });
    checkPoolConfig(schema, wanted.config);
    const { shared, own: ownWanted } = partConfig(schema, setOnly(wanted.config));
    if (alone === undefined) {
      const [wrong] = Object.keys(ownWanted);
      if (wrong !== undefined) throw invalid(`Config key "${wrong}" is cluster member specific`);
    } else if (own['source'] !== undefined && wanted.config['source'] !== own['source'])
      throw new LxdError('internal', 'Pool source cannot be changed when not in pending state');
    const memberConfig =
      alone === undefined
        ? before.memberConfig
        : { ...before.memberConfig, [alone]: { ...hiddenOf(own), ...ownWanted } };
    const after = { ...before, description: wanted.description, config: shared, memberConfig };
    await commit(found, after, options);
  }

  /** Finishes or takes back what its intent says. */
  async function putRight(record: PoolRecord, signal: AbortSignal): Promise<void> {
    const { kind, detail = {} } = record.pending ?? {};
    if (kind === 'update') {
      const before = JSON.parse(detail['before'] ?? 'null') as PoolRecord | null;
      await settle(before ?? record, withoutPending(record), signal);
    } else if (kind === 'create') await creation.takeBack(record, signal);
    else await remove(record, signal);
  }

  const working = new InFlight();
  const service = {
    find,

    view(record: PoolRecord, target: string | undefined): Record<string, unknown> {
      return {
        config: shownConfig(services, record, target),
        description: record.description,
        name: record.name,
        driver: record.driver,
        used_by: shownUsers(record.name),
        status: statusView(services, record, 'pool', ['', record.name], target),
        locations: locations(services, record),
      };
    },

    /** @throws LxdError `invalid`, `conflict`, `internal` (as LXD) */
    create: (body: StoragePoolsPost, caller: Caller, target: string | null = null): Promise<void> =>
      creation.create(body, caller, target),

    async put(name: string, body: StoragePoolPut, options: ChangeOptions): Promise<void> {
      const member = targetOf(services, options.target ?? null);
      const config = body.config ?? {};
      if (member !== undefined) return changeOwn(name, member, () => config, options);
      return change(name, () => ({ config, description: body.description ?? '' }), options);
    },

    async patch(name: string, body: StoragePoolPut, options: ChangeOptions): Promise<void> {
      const member = targetOf(services, options.target ?? null);
      if (member !== undefined)
        return changeOwn(name, member, (shown) => ({ ...shown, ...body.config }), options);
      return change(
        name,
        (record, config) => ({
          config: { ...config, ...body.config },
          description: body.description ?? record.description,
        }),
        options,
      );
    },

    /** @throws LxdError `not-found`, `invalid` while it is used */
    async delete(name: string, caller: Caller): Promise<void> {
      const signal = AbortSignal.timeout(effectTimeoutMs);
      const { value, revision } = find(name);
      if (users(name)) throw invalid(mustBeEmpty);
      const pending = { kind: 'delete' as const, operation: '', server: services.server };
      await records
        .transaction()
        .update('pools', [name], revision, { ...value, pending })
        .commit({ signal });
      try {
        // Somebody may have begun to use it before the intent was on record.
        if (users(name)) throw invalid(mustBeEmpty);
        await remove({ ...value, pending }, signal);
      } catch (error) {
        const back = { signal: AbortSignal.timeout(effectTimeoutMs) };
        await records.modify('pools', [name], withoutPending, back);
        void parts.follow(value, back.signal);
        throw toLxdError(error).code === 'conflict' ? invalid(mustBeEmpty) : error;
      }
      lifecycle('deleted', name, caller);
    },

    /** Space on one member. */
    async resources(name: string, member: string, signal: AbortSignal): Promise<unknown> {
      const pool = records.get('pools', name);
      if (!pool) throw new LxdError('internal', 'Storage pool not found');
      const usage = await agents.get(member).poolUsage(poolSpec(pool.value, member), { signal });
      return { space: usage.space, inodes: usage.inodes };
    },

    /** Finishes or takes back what these servers left half done; how many are left. */
    async recover(servers: readonly string[], { signal }: { signal: AbortSignal }): Promise<number> {
      let left = 0;
      for (const { name } of records.list('pools').map(({ value }) => value)) {
        // What was looked at before the last one was put right is old.
        const value = records.get('pools', name)?.value;
        const pending = value?.pending;
        if (!value || !pending || !servers.includes(pending.server) || working.has(name)) continue;
        try {
          await working.during(name, () => putRight(value, signal));
        } catch (error) {
          left += 1;
          services.log.warn(`recovery of a storage pool from an unfinished ${pending.kind} failed`, {
            pool: name,
            error: toLxdError(error).message,
          });
        }
      }
      return left;
    },
  };
  const { create, put, patch, delete: drop } = service;
  return {
    ...service,
    create: (...args: Parameters<typeof create>) => working.during(args[0].name ?? '', () => create(...args)),
    put: (...args: Parameters<typeof put>) => working.during(args[0], () => put(...args)),
    patch: (...args: Parameters<typeof patch>) => working.during(args[0], () => patch(...args)),
    delete: (...args: Parameters<typeof drop>) => working.during(args[0], () => drop(...args)),
  };
}

export type StoragePoolsService = ReturnType<typeof storagePoolsService>;
