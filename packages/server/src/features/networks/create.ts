import {
  checkNetworkName,
  findKey,
  LxdError,
  toLxdError,
  type Config,
  type ConfigSchema,
} from '@lxd-ts/core';
import type { NetworkSpec } from '@lxd-ts/core';
import type { NetworkRecord } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import type { Drivers } from '../shared/drivers.ts';
import { effectTimeoutMs, isClustered, nodes, partConfig, setOnly, targetOf } from '../shared/members.ts';
import { asInternal, ownKey, sharedKey } from '../shared/parts/checks.ts';
import type { onMembers } from '../shared/parts/on-members.ts';

export interface NetworksPost {
  name?: string;
  type?: string;
  config?: Config | null;
  description?: string;
}

const invalid = (message: string): LxdError => new LxdError('invalid', message);
const internal = (message: string): LxdError => new LxdError('internal', message);

/** @throws LxdError `invalid`, worded as LXD words it */
export function checkNetworkConfig(
  schema: ConfigSchema,
  name: string,
  config: Config,
  { partial = false }: { partial?: boolean } = {},
): void {
  for (const [key, value] of Object.entries(config)) {
    if (key.startsWith('user.') || key.startsWith('volatile.')) continue;
    const found = findKey(schema, key);
    if (!found) throw invalid(`Invalid option for network "${name}" option "${key}"`);
    const wrong = value === '' ? undefined : found.check(value);
    if (wrong !== undefined) throw invalid(`Invalid value for network "${name}" option "${key}": ${wrong}`);
  }
  if (partial) return;
  for (const [key, { required }] of Object.entries(schema)) {
    if (required && !config[key])
      throw invalid(`Invalid value for network "${name}" option "${key}": Required value`);
  }
}

/**
 * Creation: at once, with the same options everywhere; or as LXD does it, first for each member with its own options
 * (`?target=`), then for all.
 */
export function networkCreation(
  services: Services,
  drivers: Pick<Drivers, 'network'>,
  parts: Pick<ReturnType<typeof onMembers<NetworkRecord, NetworkSpec>>, 'create' | 'delete' | 'follow'>,
  told: { created(project: string, name: string, caller: Caller): void },
) {
  const { records, agents } = services;

  /** What was half made goes; a network that was defined member by member is `Pending` again. Idempotent. */
  async function takeBack(record: NetworkRecord, signal: AbortSignal): Promise<void> {
    const id: [string, string] = [record.project, record.name];
    await parts.delete(record, signal);
    const defined = record.pending?.detail?.['defined'];
    if (defined === undefined) await records.transaction().remove('networks', id).commit({ signal });
    else await records.modify('networks', id, () => JSON.parse(defined) as NetworkRecord, { signal });
  }

  /** @param intended on record, with its intent */
  async function finish(intended: NetworkRecord, signal: AbortSignal): Promise<void> {
    try {
      const made = await asInternal(() => parts.create(intended, signal));
      await records.modify('networks', [intended.project, intended.name], () => made, { signal });
      void parts.follow(made, AbortSignal.timeout(effectTimeoutMs));
    } catch (error) {
      await takeBack(intended, AbortSignal.timeout(effectTimeoutMs)).catch((failure: unknown) =>
        services.log.error('taking back a half made network failed; it is tried again later', {
          network: intended.name,
          error: toLxdError(failure).message,
        }),
      );
      throw error;
    }
  }

  /** One member's part, with nothing made yet. */
  async function define(
    project: string,
    body: NetworksPost,
    member: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { name = '' } = body;
    const type = body.type || 'bridge';
    const schema = drivers.network(type);
    if (!schema) throw invalid('Unknown driver');
    const config = setOnly(body.config ?? {});
    const wrong = sharedKey(schema, config);
    if (wrong !== undefined) throw invalid(`Config key "${wrong}" may not be used as member-specific key`);
    await asInternal(() => checkNetworkConfig(schema, name, config, { partial: true }));
    const found = records.get('networks', project, name);
    if (!found) {
      const description = body.description ?? '';
      const memberConfig = { [member]: config };
      const record: NetworkRecord = {
        ...{ project, name, type, description, status: 'Pending' as const },
        ...{ config: {}, memberConfig },
      };
      await records.transaction().create('networks', [project, name], record).commit({ signal });
      return;
    }
    const { value, revision } = found;
    if (value.status !== 'Pending' || value.pending) throw internal('Network is not in pending state');
    if (value.type !== type)
      throw internal("Requested network type doesn't match type in existing database record");
    if (Object.hasOwn(value.memberConfig, member))
      throw invalid(`The network is already defined on member "${member}"`);
    const memberConfig = { ...value.memberConfig, [member]: config };
    await records
      .transaction()
      .update('networks', [project, name], revision, { ...value, memberConfig })
      .commit({ signal });
  }

  /** @throws LxdError `internal` where an interface has the name already */
  async function checkInterfaces({ type, name }: NetworkRecord, signal: AbortSignal): Promise<void> {
    if (type !== 'bridge') return;
    const online = agents.online();
    for (const member of nodes(services).filter((node) => online.includes(node))) {
      const interfaces = await agents.get(member).hostInterfaces({ signal });
      if (interfaces.some((found) => found.name === name))
        throw internal(`Network interface "${name}" already exists`);
    }
  }

  /** What every member has defined is made. */
  async function complete(defined: NetworkRecord, body: NetworksPost, revision: number, signal: AbortSignal) {
    const { project, name, type } = defined;
    if (defined.pending) throw internal('Network is not in pending state');
    if (body.type && body.type !== type)
      throw internal(
        `Requested network type "${body.type}" doesn't match type in existing database record "${type}"`,
      );
    const schema = drivers.network(type) ?? {};
    const config = setOnly(body.config ?? {});
    const wrong = ownKey(schema, config);
    if (wrong !== undefined) throw internal(`Config key "${wrong}" is cluster member specific`);
    const missing = nodes(services).filter((member) => !Object.hasOwn(defined.memberConfig, member));
    if (missing.length > 0) throw internal(`Network not defined on nodes: ${missing.join(', ')}`);
    for (const own of Object.values(defined.memberConfig))
      await asInternal(() => checkNetworkConfig(schema, name, { ...config, ...own }));
    await checkInterfaces(defined, signal);
    const detail = { defined: JSON.stringify(defined) };
    const pending = { kind: 'create' as const, operation: '', server: services.server, detail };
    const record = { ...defined, description: body.description || defined.description, config, pending };
    await records.transaction().update('networks', [project, name], revision, record).commit({ signal });
    await finish(record, signal);
  }

  return {
    takeBack,

    /** @throws LxdError `invalid`, `internal` (as LXD) */
    async create(project: string, body: NetworksPost, caller: Caller, target: string | null): Promise<void> {
      const signal = AbortSignal.timeout(effectTimeoutMs);
      const { name = '' } = body;
      const member = targetOf(services, target);
      const type = body.type || 'bridge';
      checkNetworkName(name);
      const schema = drivers.network(type);
      if (!schema) throw invalid('Unknown driver');
      if (member !== undefined) {
        await define(project, body, member, signal);
        return;
      }
      const found = records.get('networks', project, name);
      if (found?.value.status === 'Pending') {
        await complete(found.value, body, found.revision, signal);
        told.created(project, name, caller);
        return;
      }
      if (found && isClustered(services)) throw internal('The network is already created');
      if (found) throw invalid('The network already exists');
      const config = setOnly(body.config ?? {});
      await asInternal(() => checkNetworkConfig(schema, name, config));
      const { shared, own } = partConfig(schema, config);
      const record: NetworkRecord = {
        project,
        name,
        type,
        description: body.description ?? '',
        status: 'Pending',
        config: shared,
        memberConfig: Object.fromEntries(nodes(services).map((node) => [node, own])),
        pending: { kind: 'create', operation: '', server: services.server },
      };
      await checkInterfaces(record, signal);
      await records.transaction().create('networks', [project, name], record).commit({ signal });
      await finish(record, signal);
      told.created(project, name, caller);
    },
  };
}
