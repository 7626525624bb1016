import { checkPoolName, findKey, LxdError, toLxdError, type Config, type ConfigSchema } from '@lxd-ts/core';
import type { PoolRecord, Versioned } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { poolSpec } from '../instances/spec.ts';
import {
  effectTimeoutMs,
  locations,
  partConfig,
  reachableNodes,
  setOnly,
  shownConfig,
} from '../shared/members.ts';
import type { Drivers } from '../shared/drivers.ts';
import { usedBy } from '../shared/used-by.ts';

export interface StoragePoolsPost {
  name?: string;
  driver?: string;
  config?: Config | null;
  description?: string;
}

export interface StoragePoolPut {
  config?: Config | null;
  description?: string;
}

export interface ChangeOptions {
  caller: Caller;
  /** The record's, when the caller said which one it means. */
  revision?: number | undefined;
}

const invalid = (message: string): LxdError => new LxdError('invalid', message);
const url = (name: string): string => `/1.0/storage-pools/${encodeURIComponent(name)}`;
const mustBeEmpty = 'The storage pool is currently in use';

/** @throws LxdError `invalid`, worded as LXD words it */
function checkPoolConfig(schema: ConfigSchema, config: Config): void {
  for (const [key, value] of Object.entries(config)) {
    if (key.startsWith('user.') || key.startsWith('volatile.')) continue;
    const found = findKey(schema, key);
    if (!found) throw invalid(`Invalid option "${key}"`);
    const wrong = value === '' ? undefined : found.check(value);
    if (wrong !== undefined) throw invalid(`Invalid value for option "${key}": ${wrong}`);
  }
}

const withoutPending = ({ pending: _pending, ...record }: PoolRecord): PoolRecord => record;

/** What LXD answers by 500 though the request is wrong. */
async function asInternal<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = toLxdError(error);
    throw code === 'invalid' ? new LxdError('internal', message, { cause: error }) : error;
  }
}

export function storagePoolsService(services: Services, drivers: Pick<Drivers, 'pool'>) {
  const { records, agents, events } = services;

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

  const users = (name: string) =>
    usedBy(services, (device) => device['type'] === 'disk' && device['pool'] === name);

  /** Takes back a pool that was half made. Idempotent. */
  async function remove(name: string, signal: AbortSignal): Promise<void> {
    const { value } = find(name);
    for (const member of Object.keys(value.memberConfig)) {
      await agents.get(member).deletePool(poolSpec(value, member), { signal });
    }
    await records.transaction().remove('pools', [name]).commit({ signal });
  }

  async function make(record: PoolRecord, schema: ConfigSchema, signal: AbortSignal): Promise<void> {
    let { config } = record;
    const memberConfig: Record<string, Config> = {};
    for (const member of Object.keys(record.memberConfig)) {
      const made = await agents.get(member).createPool(poolSpec(record, member), { signal });
      const { shared, own } = partConfig(schema, made.config);
      config = { ...config, ...shared };
      memberConfig[member] = own;
    }
    await records.modify(
      'pools',
      [record.name],
      (value) => ({ ...withoutPending(value), status: 'Created', config, memberConfig }),
      { signal },
    );
  }

  async function settle(before: PoolRecord, after: PoolRecord, signal: AbortSignal): Promise<void> {
    const id: [string] = [after.name];
    try {
      for (const member of Object.keys(after.memberConfig)) {
        await agents.get(member).updatePool(poolSpec(before, member), poolSpec(after, member), { signal });
      }
    } catch (error) {
      const back = { signal: AbortSignal.timeout(effectTimeoutMs) };
      await records.modify('pools', id, () => withoutPending(before), back);
      throw error;
    }
    await records.modify('pools', id, withoutPending, { signal });
  }

  async function change(
    name: string,
    next: (record: PoolRecord, config: Config) => { config: Config; description: string },
    { caller, revision }: ChangeOptions,
  ): Promise<void> {
    const signal = AbortSignal.timeout(effectTimeoutMs);
    const found = find(name);
    const { value: before } = found;
    if (before.pending) throw new LxdError('conflict', `The storage pool is busy: ${before.pending.kind}`);
    const members = reachableNodes(services);
    const schema = drivers.pool(before.driver) ?? {};
    const [first] = members;
    const own = members.length === 1 && first !== undefined ? (before.memberConfig[first] ?? {}) : {};
    const wanted = next(before, { ...before.config, ...own });
    checkPoolConfig(schema, wanted.config);
    if (own['source'] !== undefined && wanted.config['source'] !== own['source'])
      throw new LxdError('internal', 'Pool source cannot be changed when not in pending state');
    const parts = partConfig(schema, setOnly(wanted.config));
    const hidden = Object.fromEntries(Object.entries(own).filter(([key]) => key.startsWith('volatile.')));
    const memberConfig =
      members.length === 1 && first !== undefined
        ? { ...before.memberConfig, [first]: { ...hidden, ...parts.own } }
        : before.memberConfig;
    const after: PoolRecord = {
      ...before,
      description: wanted.description,
      config: parts.shared,
      memberConfig,
    };
    const detail = { before: JSON.stringify(before) };
    const pending = { kind: 'update' as const, operation: '', server: services.server, detail };
    await records
      .transaction()
      .update('pools', [name], revision ?? found.revision, { ...after, pending })
      .commit({ signal });
    await settle(before, after, signal);
    lifecycle('updated', name, caller);
  }

  return {
    find,

    view(record: PoolRecord, target: string | null): Record<string, unknown> {
      return {
        config: shownConfig(services, record, target),
        description: record.description,
        name: record.name,
        driver: record.driver,
        used_by: users(record.name),
        status: record.status,
        locations: locations(services),
      };
    },

    /** @throws LxdError `invalid`, `conflict`, `internal` (as LXD) */
    async create(body: StoragePoolsPost, caller: Caller): Promise<void> {
      const signal = AbortSignal.timeout(effectTimeoutMs);
      const { name = '', driver = '' } = body;
      checkPoolName(name);
      if (driver === '') throw invalid('No driver provided');
      if (records.get('pools', name))
        throw new LxdError('conflict', 'The storage pool already exists: The record already exists');
      const schema = drivers.pool(driver);
      if (!schema) throw new LxdError('internal', 'Unknown driver');
      const config = setOnly(body.config ?? {});
      await asInternal(() => checkPoolConfig(schema, config));
      const members = reachableNodes(services);
      const { shared, own } = partConfig(schema, config);
      const record: PoolRecord = {
        name,
        driver,
        description: body.description ?? '',
        status: 'Pending',
        config: shared,
        memberConfig: Object.fromEntries(members.map((member) => [member, own])),
      };
      const pending = { kind: 'create' as const, operation: '', server: services.server };
      await records
        .transaction()
        .create('pools', [name], { ...record, pending })
        .commit({ signal });
      try {
        await asInternal(() => make(record, schema, signal));
      } catch (error) {
        await remove(name, AbortSignal.timeout(effectTimeoutMs)).catch((failure: unknown) =>
          services.log.error('taking back a half made storage pool failed; it is tried again later', {
            pool: name,
            error: toLxdError(failure).message,
          }),
        );
        throw error;
      }
      lifecycle('created', name, caller);
    },

    put: (name: string, body: StoragePoolPut, options: ChangeOptions): Promise<void> =>
      change(name, () => ({ config: body.config ?? {}, description: body.description ?? '' }), options),

    patch: (name: string, body: StoragePoolPut, options: ChangeOptions): Promise<void> =>
      change(
        name,
        (record, config) => ({
          config: { ...config, ...body.config },
          description: body.description ?? record.description,
        }),
        options,
      ),

    /** @throws LxdError `not-found`, `invalid` while it is used */
    async delete(name: string, caller: Caller): Promise<void> {
      const signal = AbortSignal.timeout(effectTimeoutMs);
      const { value, revision } = find(name);
      if (users(name)) throw invalid(mustBeEmpty);
      reachableNodes(services);
      const pending = { kind: 'delete' as const, operation: '', server: services.server };
      await records
        .transaction()
        .update('pools', [name], revision, { ...value, pending })
        .commit({ signal });
      try {
        // Somebody may have begun to use it before the intent was on record.
        if (users(name)) throw invalid(mustBeEmpty);
        await remove(name, signal);
      } catch (error) {
        const back = { signal: AbortSignal.timeout(effectTimeoutMs) };
        await records.modify('pools', [name], withoutPending, back);
        throw toLxdError(error).code === 'conflict' ? invalid(mustBeEmpty) : error;
      }
      lifecycle('deleted', name, caller);
    },

    /** Space on one member. */
    async resources(name: string, target: string | null, signal: AbortSignal): Promise<unknown> {
      const pool = records.get('pools', name);
      if (!pool) throw new LxdError('internal', 'Storage pool not found');
      const member = target ?? services.server;
      const usage = await agents.get(member).poolUsage(poolSpec(pool.value, member), { signal });
      return { space: usage.space, inodes: usage.inodes };
    },

    /** Finishes or takes back what these servers left half done; how many are left. */
    async recover(servers: readonly string[], { signal }: { signal: AbortSignal }): Promise<number> {
      let left = 0;
      for (const { value } of records.list('pools')) {
        const { pending, name } = value;
        if (!pending || !servers.includes(pending.server)) continue;
        try {
          if (pending.kind === 'update') {
            const before = JSON.parse(pending.detail?.['before'] ?? 'null') as PoolRecord | null;
            await settle(before ?? value, withoutPending(value), signal);
          } else await remove(name, signal);
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
}

export type StoragePoolsService = ReturnType<typeof storagePoolsService>;
