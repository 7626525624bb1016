import {
  checkNetworkName,
  findKey,
  LxdError,
  toLxdError,
  type Config,
  type ConfigSchema,
} from '@lxd-ts/core';
import type { NetworkRecord, Versioned } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { networkSpec } from '../instances/spec.ts';
import { effectTimeoutMs, partConfig, reachableNodes, setOnly, shownConfig } from '../shared/members.ts';
import type { Drivers } from '../shared/drivers.ts';
import { usersOf } from './view.ts';

export interface NetworksPost {
  name?: string;
  type?: string;
  config?: Config | null;
  description?: string;
}

export interface NetworkPut {
  config?: Config | null;
  description?: string;
}

export interface ChangeOptions {
  caller: Caller;
  /** The record's, when the caller said which one it means. */
  revision?: number | undefined;
}

const invalid = (message: string): LxdError => new LxdError('invalid', message);
const url = (name: string): string => `/1.0/networks/${encodeURIComponent(name)}`;

/** @throws LxdError `invalid`, worded as LXD words it */
function checkNetworkConfig(schema: ConfigSchema, name: string, config: Config): void {
  for (const [key, value] of Object.entries(config)) {
    if (key.startsWith('user.') || key.startsWith('volatile.')) continue;
    const found = findKey(schema, key);
    if (!found) throw invalid(`Invalid option for network "${name}" option "${key}"`);
    const wrong = value === '' ? undefined : found.check(value);
    if (wrong !== undefined) throw invalid(`Invalid value for network "${name}" option "${key}": ${wrong}`);
  }
  for (const [key, { required }] of Object.entries(schema)) {
    if (required && !config[key])
      throw invalid(`Invalid value for network "${name}" option "${key}": Required value`);
  }
}

const withoutPending = ({ pending: _pending, ...record }: NetworkRecord): NetworkRecord => record;

/** What LXD answers by 500 though the request is wrong. */
async function asInternal<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = toLxdError(error);
    throw code === 'invalid' ? new LxdError('internal', message, { cause: error }) : error;
  }
}

export function networksService(services: Services, drivers: Pick<Drivers, 'network'>) {
  const { records, agents, events } = services;

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

  async function removeEffects(record: NetworkRecord, signal: AbortSignal): Promise<void> {
    for (const member of Object.keys(record.memberConfig)) {
      await agents.get(member).deleteNetwork(networkSpec(record, member), { signal });
    }
  }

  async function remove(project: string, name: string, signal: AbortSignal): Promise<void> {
    await removeEffects(find(project, name).value, signal);
    await records.transaction().remove('networks', [project, name]).commit({ signal });
  }

  /** What the first member chooses (subnets) holds for the others. */
  async function make(
    record: NetworkRecord,
    schema: ConfigSchema,
    signal: AbortSignal,
  ): Promise<NetworkRecord> {
    let made = record;
    for (const member of Object.keys(record.memberConfig)) {
      const { config } = await agents.get(member).createNetwork(networkSpec(made, member), { signal });
      const { shared, own } = partConfig(schema, config);
      made = {
        ...made,
        config: { ...made.config, ...shared },
        memberConfig: { ...made.memberConfig, [member]: own },
      };
    }
    return { ...withoutPending(made), status: 'Created' };
  }

  async function settle(before: NetworkRecord, after: NetworkRecord, signal: AbortSignal): Promise<void> {
    const id: [string, string] = [after.project, after.name];
    try {
      for (const member of Object.keys(after.memberConfig)) {
        await agents
          .get(member)
          .updateNetwork(networkSpec(before, member), networkSpec(after, member), { signal });
      }
    } catch (error) {
      const back = { signal: AbortSignal.timeout(effectTimeoutMs) };
      await records.modify('networks', id, () => withoutPending(before), back);
      throw error;
    }
    await records.modify('networks', id, withoutPending, { signal });
  }

  async function change(
    project: string,
    name: string,
    next: (record: NetworkRecord, shown: Config) => { config: Config; description: string },
    { caller, revision }: ChangeOptions,
  ): Promise<void> {
    const signal = AbortSignal.timeout(effectTimeoutMs);
    const found = find(project, name);
    const { value: before } = found;
    if (before.pending) throw new LxdError('conflict', `The network is busy: ${before.pending.kind}`);
    const schema = drivers.network(before.type) ?? {};
    const wanted = next(before, shownConfig(services, before, null));
    checkNetworkConfig(schema, name, wanted.config);
    const members = reachableNodes(services);
    const { shared, own } = partConfig(schema, setOnly(wanted.config));
    const [only] = members;
    const hidden = Object.entries(before.memberConfig[only ?? ''] ?? {}).filter(([key]) =>
      key.startsWith('volatile.'),
    );
    const memberConfig =
      members.length === 1 && only !== undefined
        ? { ...before.memberConfig, [only]: { ...Object.fromEntries(hidden), ...own } }
        : before.memberConfig;
    const after: NetworkRecord = { ...before, description: wanted.description, config: shared, memberConfig };
    const detail = { before: JSON.stringify(before) };
    const pending = { kind: 'update' as const, operation: '', server: services.server, detail };
    await records
      .transaction()
      .update('networks', [project, name], revision ?? found.revision, { ...after, pending })
      .commit({ signal });
    await settle(before, after, signal);
    lifecycle('updated', project, name, caller);
  }

  async function finishRename(record: NetworkRecord, to: string, signal: AbortSignal): Promise<void> {
    const { project, name } = record;
    const renamed: NetworkRecord = { ...withoutPending(record), name: to };
    await removeEffects(record, signal);
    const made = await make(renamed, drivers.network(record.type) ?? {}, signal);
    await records
      .transaction()
      .remove('networks', [project, name])
      .create('networks', [project, to], made)
      .commit({ signal });
  }

  return {
    find,

    /** @throws LxdError `invalid`, `internal` (as LXD) */
    async create(project: string, body: NetworksPost, caller: Caller): Promise<void> {
      const signal = AbortSignal.timeout(effectTimeoutMs);
      const { name = '' } = body;
      const type = body.type || 'bridge';
      checkNetworkName(name);
      const schema = drivers.network(type);
      if (!schema) throw invalid('Unknown driver');
      if (records.get('networks', project, name)) throw invalid('The network already exists');
      const config = setOnly(body.config ?? {});
      await asInternal(() => checkNetworkConfig(schema, name, config));
      const members = reachableNodes(services);
      for (const member of members) {
        const interfaces = await agents.get(member).hostInterfaces({ signal });
        if (type === 'bridge' && interfaces.some((found) => found.name === name))
          throw new LxdError('internal', `Network interface "${name}" already exists`);
      }
      const { shared, own } = partConfig(schema, config);
      const record: NetworkRecord = {
        project,
        name,
        type,
        description: body.description ?? '',
        status: 'Pending',
        config: shared,
        memberConfig: Object.fromEntries(members.map((member) => [member, own])),
      };
      const pending = { kind: 'create' as const, operation: '', server: services.server };
      const intent = { ...record, pending };
      await records.transaction().create('networks', [project, name], intent).commit({ signal });
      try {
        const made = await asInternal(() => make(record, schema, signal));
        await records.modify('networks', [project, name], () => made, { signal });
      } catch (error) {
        await remove(project, name, AbortSignal.timeout(effectTimeoutMs)).catch((failure: unknown) =>
          services.log.error('taking back a half made network failed; it is tried again later', {
            network: name,
            error: toLxdError(failure).message,
          }),
        );
        throw error;
      }
      lifecycle('created', project, name, caller);
    },

    put: (project: string, name: string, body: NetworkPut, options: ChangeOptions): Promise<void> =>
      change(
        project,
        name,
        () => ({ config: body.config ?? {}, description: body.description ?? '' }),
        options,
      ),

    patch: (project: string, name: string, body: NetworkPut, options: ChangeOptions): Promise<void> =>
      change(
        project,
        name,
        (record, shown) => ({
          config: { ...shown, ...body.config },
          description: body.description ?? record.description,
        }),
        options,
      ),

    /** @throws LxdError `not-found`, `conflict`, `invalid` while it is used */
    async rename(project: string, name: string, to: string, caller: Caller): Promise<void> {
      const signal = AbortSignal.timeout(effectTimeoutMs);
      const { value, revision } = find(project, name);
      if (to === '') throw invalid('New network name not provided');
      checkNetworkName(to);
      if (records.get('networks', project, to))
        throw new LxdError('conflict', `Network "${to}" already exists`);
      if (usersOf(services, project, name)) throw invalid('Network is currently in use');
      reachableNodes(services);
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
        await removeEffects({ ...value, name: to }, back.signal);
        const made = await make(value, drivers.network(value.type) ?? {}, back.signal);
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
      reachableNodes(services);
      const pending = { kind: 'delete' as const, operation: '', server: services.server };
      await records
        .transaction()
        .update('networks', [project, name], revision, { ...value, pending })
        .commit({ signal });
      try {
        // Somebody may have begun to use it before the intent was on record.
        used();
        await remove(project, name, signal);
      } catch (error) {
        const back = { signal: AbortSignal.timeout(effectTimeoutMs) };
        await records.modify('networks', [project, name], withoutPending, back);
        throw error;
      }
      lifecycle('deleted', project, name, caller);
    },

    /** Finishes or takes back what these servers left half done; how many are left. */
    async recover(servers: readonly string[], { signal }: { signal: AbortSignal }): Promise<number> {
      let left = 0;
      for (const { value } of records.list('networks')) {
        const { pending, name, project } = value;
        if (!pending || !servers.includes(pending.server)) continue;
        try {
          if (pending.kind === 'update') {
            const before = JSON.parse(pending.detail?.['before'] ?? 'null') as NetworkRecord | null;
            await settle(before ?? value, withoutPending(value), signal);
          } else if (pending.kind === 'rename')
            await finishRename(value, pending.detail?.['to'] ?? name, signal);
          else await remove(project, name, signal);
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
}

export type NetworksService = ReturnType<typeof networksService>;
