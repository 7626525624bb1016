import { checkNetworkName, LxdError, toLxdError, type Config } from '@lxd-ts/core';
import type { NetworkRecord, Versioned } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { InFlight } from '../shared/in-flight.ts';
import type { Drivers } from '../shared/drivers.ts';
import {
  aloneOn,
  effectTimeoutMs,
  isClustered,
  partConfig,
  setOnly,
  shownConfig,
  targetOf,
} from '../shared/members.ts';
import { sharedKey } from '../shared/parts/checks.ts';
import { onMembers } from '../shared/parts/on-members.ts';
import { networkParts } from '../shared/parts/part-kind.ts';
import { checkNetworkConfig, networkCreation, type NetworksPost } from './create.ts';
import { usersOf } from './view.ts';

export type { NetworksPost } from './create.ts';

export interface NetworkPut {
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
const url = (name: string): string => `/1.0/networks/${encodeURIComponent(name)}`;

const withoutPending = ({ pending: _pending, ...record }: NetworkRecord): NetworkRecord => record;

const hiddenOf = (config: Config | undefined): Config =>
  Object.fromEntries(Object.entries(config ?? {}).filter(([key]) => key.startsWith('volatile.')));

export function networksService(services: Services, drivers: Pick<Drivers, 'pool' | 'network'>) {
  const { records, events } = services;
  const parts = onMembers(services, drivers, networkParts);

  const lifecycle = (
    action: string,
    project: string,
    name: string,
    { username, protocol }: Caller,
    context?: Record<string, unknown>,
  ) =>
    events.lifecycle({
      action: `network-${action}`,
      source: url(name),
      project,
      requestor: { username, protocol },
      ...(context ? { context } : {}),
    });

  /** A managed one. @throws LxdError `not-found` */
  function find(project: string, name: string): Versioned<NetworkRecord> {
    const found = records.get('networks', project, name);
    if (!found) throw new LxdError('not-found', 'Failed loading network: Network not found');
    return found;
  }

  /** Idempotent. A network that was never made is only forgotten. */
  async function remove(record: NetworkRecord, signal: AbortSignal): Promise<void> {
    const { project, name } = record;
    if (record.status !== 'Pending' || record.pending?.kind === 'create') await parts.delete(record, signal);
    await records.transaction().remove('networks', [project, name]).commit({ signal });
    void parts.follow(record, AbortSignal.timeout(effectTimeoutMs));
  }

  const creation = networkCreation(services, drivers, parts, {
    created: (project, name, caller) => lifecycle('created', project, name, caller),
  });

  /** The effect of a change that is on record; a failure takes the record back too. */
  async function settle(before: NetworkRecord, after: NetworkRecord, signal: AbortSignal): Promise<void> {
    const id: [string, string] = [after.project, after.name];
    try {
      await parts.update(before, after, signal);
    } catch (error) {
      const back = { signal: AbortSignal.timeout(effectTimeoutMs) };
      await records.modify('networks', id, () => withoutPending(before), back);
      throw error;
    }
    await records.modify('networks', id, withoutPending, { signal });
    void parts.follow(after, AbortSignal.timeout(effectTimeoutMs));
  }

  async function commit(
    found: Versioned<NetworkRecord>,
    after: NetworkRecord,
    { caller, revision = found.revision }: ChangeOptions,
  ): Promise<void> {
    const signal = AbortSignal.timeout(effectTimeoutMs);
    const before = found.value;
    const { project, name } = before;
    const id: [string, string] = [project, name];
    if (before.status === 'Pending') {
      // There is nothing yet that could change.
      await records.transaction().update('networks', id, revision, after).commit({ signal });
    } else {
      const detail = { before: JSON.stringify(before) };
      const pending = { kind: 'update' as const, operation: '', server: services.server, detail };
      await records
        .transaction()
        .update('networks', id, revision, { ...after, pending })
        .commit({ signal });
      await settle(before, after, signal);
    }
    lifecycle('updated', project, name, caller);
  }

  /** One member's own options. @param next of what that member has */
  async function changeOwn(
    project: string,
    name: string,
    member: string,
    next: (own: Config) => Config,
    options: ChangeOptions,
  ): Promise<void> {
    const found = find(project, name);
    const { value: before } = found;
    if (before.pending) throw new LxdError('conflict', `The network is busy: ${before.pending.kind}`);
    const schema = drivers.network(before.type) ?? {};
    const own = before.memberConfig[member] ?? {};
    const wanted = next(own);
    const wrong = sharedKey(schema, wanted, before.config);
    if (wrong !== undefined) throw invalid(`Config key "${wrong}" may not be used as member-specific key`);
    const set = setOnly(partConfig(schema, wanted).own);
    const pending = before.status === 'Pending';
    checkNetworkConfig(schema, name, { ...before.config, ...set }, { partial: pending });
    const memberConfig = { ...before.memberConfig, [member]: { ...hiddenOf(own), ...set } };
    await commit(found, { ...before, memberConfig }, options);
  }

  /** What holds for all; a machine that is alone has its own options among them. */
  async function change(
    project: string,
    name: string,
    next: (record: NetworkRecord, shown: Config) => { config: Config; description: string },
    options: ChangeOptions,
  ): Promise<void> {
    const found = find(project, name);
    const { value: before } = found;
    if (before.status === 'Pending')
      throw invalid('Cannot update network global config when not in created state');
    if (before.pending) throw new LxdError('conflict', `The network is busy: ${before.pending.kind}`);
    const schema = drivers.network(before.type) ?? {};
    const wanted = next(before, shownConfig(services, before, undefined));
    const { shared, own } = partConfig(schema, setOnly(wanted.config));
    const alone = aloneOn(services);
    if (alone === undefined) {
      const [wrong] = Object.keys(own);
      if (wrong !== undefined) throw invalid(`Config key "${wrong}" is cluster member specific`);
      for (const theirs of Object.values(before.memberConfig))
        checkNetworkConfig(schema, name, { ...wanted.config, ...theirs });
    } else checkNetworkConfig(schema, name, wanted.config);
    const memberConfig =
      alone === undefined
        ? before.memberConfig
        : { ...before.memberConfig, [alone]: { ...hiddenOf(before.memberConfig[alone]), ...own } };
    await commit(
      found,
      { ...before, description: wanted.description, config: shared, memberConfig },
      options,
    );
  }

  async function finishRename(record: NetworkRecord, to: string, signal: AbortSignal): Promise<void> {
    const { project, name } = record;
    const renamed: NetworkRecord = { ...withoutPending(record), name: to };
    await parts.delete(record, signal);
    const made = await parts.create(renamed, signal);
    await records
      .transaction()
      .remove('networks', [project, name])
      .create('networks', [project, to], made)
      .commit({ signal });
  }

  /** Finishes or takes back what its intent says. */
  async function putRight(record: NetworkRecord, signal: AbortSignal): Promise<void> {
    const { kind, detail = {} } = record.pending ?? {};
    if (kind === 'update') {
      const before = JSON.parse(detail['before'] ?? 'null') as NetworkRecord | null;
      await settle(before ?? record, withoutPending(record), signal);
    } else if (kind === 'rename') await finishRename(record, detail['to'] ?? record.name, signal);
    else if (kind === 'create') await creation.takeBack(record, signal);
    else await remove(record, signal);
  }

  const working = new InFlight();
  const service = {
    find,

    /** @throws LxdError `invalid`, `internal` (as LXD) */
    create: (
      project: string,
      body: NetworksPost,
      caller: Caller,
      target: string | null = null,
    ): Promise<void> => creation.create(project, body, caller, target),

    async put(project: string, name: string, body: NetworkPut, options: ChangeOptions): Promise<void> {
      const member = targetOf(services, options.target ?? null);
      const config = body.config ?? {};
      if (member !== undefined) return changeOwn(project, name, member, () => config, options);
      return change(project, name, () => ({ config, description: body.description ?? '' }), options);
    },

    async patch(project: string, name: string, body: NetworkPut, options: ChangeOptions): Promise<void> {
      const member = targetOf(services, options.target ?? null);
      if (member !== undefined)
        return changeOwn(project, name, member, (own) => ({ ...own, ...body.config }), options);
      return change(
        project,
        name,
        (record, shown) => ({
          config: { ...shown, ...body.config },
          description: body.description ?? record.description,
        }),
        options,
      );
    },

    /** @throws LxdError `not-found`, `conflict`, `invalid` while it is used */
    async rename(project: string, name: string, to: string, caller: Caller): Promise<void> {
      const signal = AbortSignal.timeout(effectTimeoutMs);
      const { value, revision } = find(project, name);
      if (isClustered(services)) throw invalid('Renaming clustered network not supported');
      if (to === '') throw invalid('New network name not provided');
      checkNetworkName(to);
      if (records.get('networks', project, to))
        throw new LxdError('conflict', `Network "${to}" already exists`);
      if (usersOf(services, project, name)) throw invalid('Network is currently in use');
      const detail = { to };
      const pending = { kind: 'rename' as const, operation: '', server: services.server, detail };
      await records
        .transaction()
        .update('networks', [project, name], revision, { ...value, pending })
        .commit({ signal });
      try {
        await finishRename(value, to, signal);
      } catch (error) {
        const back = { signal: AbortSignal.timeout(effectTimeoutMs) };
        await parts.delete({ ...value, name: to }, back.signal);
        const made = await parts.create(value, back.signal);
        await records.modify('networks', [project, name], () => made, back);
        throw error;
      }
      lifecycle('renamed', project, to, caller, { old_name: name });
    },

    /** @throws LxdError `not-found`, `invalid` while it is used */
    async delete(project: string, name: string, caller: Caller): Promise<void> {
      const signal = AbortSignal.timeout(effectTimeoutMs);
      const { value, revision } = find(project, name);
      const used = () => {
        if (usersOf(services, project, name)) throw invalid('The network is currently in use');
      };
      used();
      const pending = { kind: 'delete' as const, operation: '', server: services.server };
      await records
        .transaction()
        .update('networks', [project, name], revision, { ...value, pending })
        .commit({ signal });
      try {
        // Somebody may have begun to use it before the intent was on record.
        used();
        await remove({ ...value, pending }, signal);
      } catch (error) {
        const back = { signal: AbortSignal.timeout(effectTimeoutMs) };
        await records.modify('networks', [project, name], withoutPending, back);
        void parts.follow(value, back.signal);
        throw error;
      }
      lifecycle('deleted', project, name, caller);
    },

    /** Finishes or takes back what these servers left half done; how many are left. */
    async recover(servers: readonly string[], { signal }: { signal: AbortSignal }): Promise<number> {
      let left = 0;
      for (const { project, name } of records.list('networks').map(({ value }) => value)) {
        // What was looked at before the last one was put right is old.
        const value = records.get('networks', project, name)?.value;
        const pending = value?.pending;
        if (!value || !pending || !servers.includes(pending.server) || working.has(name)) continue;
        try {
          await working.during(name, () => putRight(value, signal));
        } catch (error) {
          left += 1;
          services.log.warn(`recovery of a network from an unfinished ${pending.kind} failed`, {
            network: name,
            error: toLxdError(error).message,
          });
        }
      }
      return left;
    },
  };
  const { create, put, patch, rename, delete: drop } = service;
  return {
    ...service,
    create: (...args: Parameters<typeof create>) => working.during(args[1].name ?? '', () => create(...args)),
    put: (...args: Parameters<typeof put>) => working.during(args[1], () => put(...args)),
    patch: (...args: Parameters<typeof patch>) => working.during(args[1], () => patch(...args)),
    rename: (...args: Parameters<typeof rename>) => working.during(args[1], () => rename(...args)),
    delete: (...args: Parameters<typeof drop>) => working.during(args[1], () => drop(...args)),
  };
}

export type NetworksService = ReturnType<typeof networksService>;
