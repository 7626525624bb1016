import { LxdError, toLxdError, type Config, type Devices } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { InstanceRecord } from '@lxd-ts/state';
import { checkInstanceConfig } from './config-schema.ts';
import {
  findInstance,
  instanceUrl,
  knownArchitecture,
  memberOf,
  unwindTimeoutMs,
  type InstancesContext,
} from './context.ts';
import { checkDevices, deviceTypes } from './devices.ts';
import { expandIn, rootDisk } from './expand.ts';
import { intend, withoutPending } from './pending.ts';
import type { InstancePut } from './requests.ts';
import { reserveAgain, withRoom } from './reserve.ts';
import { startRestore } from './restore.ts';
import { instanceSpec } from './spec.ts';
import { fillVolatile, forgetDevice, withOutcome } from './volatile.ts';

export interface UpdateRequest {
  project: string;
  name: string;
  body: InstancePut;
  /** The record's, when the caller said which one it means. */
  revision?: number | undefined;
}

const invalid = (message: string): LxdError => new LxdError('invalid', message);

const set = (config: Config): Config =>
  Object.fromEntries(Object.entries(config).filter(([, value]) => value !== ''));

const replaced = (record: InstanceRecord, body: InstancePut): InstanceRecord => ({
  ...record,
  architecture: knownArchitecture(body.architecture) || record.architecture,
  config: set(body.config ?? {}),
  devices: body.devices ?? {},
  ephemeral: body.ephemeral ?? false,
  profiles: body.profiles ?? [],
  description: body.description ?? '',
});

const merged = (record: InstanceRecord, body: InstancePut): InstanceRecord => ({
  ...record,
  architecture: knownArchitecture(body.architecture) || record.architecture,
  config: set({ ...record.config, ...body.config }),
  devices: { ...record.devices, ...body.devices },
  ephemeral: body.ephemeral ?? record.ephemeral,
  profiles: body.profiles ?? record.profiles,
  description: body.description ?? record.description,
});

function prefixed<T>(prefix: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    const { code, message } = toLxdError(error);
    throw new LxdError(code, `${prefix}${message}`, { cause: error });
  }
}

function checkLocalTypes(devices: Devices): void {
  for (const [name, device] of Object.entries(devices)) {
    if (!deviceTypes.includes(device['type'] ?? ''))
      throw invalid(
        `Device validation failed for "${name}": Failed loading device "${name}": Unsupported device type`,
      );
  }
}

/** All that cloud-init goes by. */
function seed(services: InstancesContext['services'], record: InstanceRecord): string {
  const { config, devices } = expandIn(services, record.project, record);
  const data = Object.entries(config).filter(([key]) =>
    /^(cloud-init|user)\.(network-config|user-data|vendor-data)$/.test(key),
  );
  const nics = Object.entries(devices)
    .filter(([, { type }]) => type === 'nic')
    .map(([device, { name = '' }]) => [device, name]);
  return JSON.stringify([data.sort(), nics.sort()]);
}

/** Refuses what cannot be, and fills in what the server decides. */
function checked(context: InstancesContext, before: InstanceRecord, after: InstanceRecord): InstanceRecord {
  const { services } = context;
  prefixed('Invalid config: ', () => checkInstanceConfig(after.config));
  prefixed('Invalid devices: ', () => {
    checkLocalTypes(after.devices);
    checkDevices(context, after, false);
  });
  const gone = Object.keys(before.config).filter((key) => !(key in after.config));
  if (gone.some((key) => key.startsWith('volatile.idmap.')))
    throw invalid("Volatile idmap keys can't be deleted by the user");
  const now = expandIn(services, after.project, after).devices;
  const old = expandIn(services, before.project, before).devices;
  prefixed('Invalid expanded devices: ', () => checkDevices(context, after));
  const pool = rootDisk(old)?.[1]['pool'];
  if (pool !== undefined && rootDisk(now)?.[1]['pool'] !== pool)
    throw invalid('The storage pool of the root disk can only be changed by moving the instance');
  const config: Record<string, string> = {
    ...Object.keys(old)
      .filter((name) => old[name]?.['type'] !== now[name]?.['type'])
      .reduce(forgetDevice, after.config),
  };
  // It does its work again for another instance.
  if (seed(services, before) !== seed(services, after))
    config['volatile.cloud-init.instance-id'] = services.uuid();
  return fillVolatile(services, { ...after, config });
}

function checkProfiles({ services }: InstancesContext, { project, body }: UpdateRequest): void {
  if (new Set(body.profiles).size !== (body.profiles ?? []).length)
    throw invalid('Duplicate profile found in request');
  for (const profile of body.profiles ?? []) {
    if (!services.records.get('profiles', project, profile))
      throw new LxdError('not-found', 'Profile not found');
  }
}

/** The effect of a change that is on record, then the outcome; a failure puts the old record back. */
export async function effect(
  { services }: InstancesContext,
  before: InstanceRecord,
  after: InstanceRecord,
  signal: AbortSignal,
): Promise<void> {
  const { project, name } = after;
  const member = memberOf(services, project, name);
  const settle = (record: (current: InstanceRecord) => InstanceRecord) =>
    services.records.modify('instances', [project, name], (current) => withoutPending(record(current)), {
      signal: AbortSignal.timeout(unwindTimeoutMs),
    });
  try {
    const outcome = await services.agents
      .get(member)
      .updateInstance(instanceSpec(services, before, member), instanceSpec(services, after, member), {
        signal,
      });
    await settle((current) => ({ ...current, config: withOutcome(current.config, outcome) }));
  } catch (error) {
    await settle(() => before);
    await reserveAgain(services, [before]);
    throw error;
  }
}

function change(
  context: InstancesContext,
  { project, name, revision }: UpdateRequest,
  next: (record: InstanceRecord) => InstanceRecord,
  operation: string,
  signal: AbortSignal,
): Promise<void> {
  const { services, busy } = context;
  return busy.queue({ project, name }, 'update', async () => {
    const member = memberOf(services, project, name);
    services.agents.get(member);
    const wanted = (record: InstanceRecord) => checked(context, record, next(record));
    const { before, after } = await withRoom(
      context,
      { project, name, member, next: wanted, signal },
      (also) =>
        intend(context, project, name, { kind: 'update', operation }, wanted, { signal, revision, also }),
    );
    await effect(context, before, after, signal);
    services.events.lifecycle({ action: 'instance-updated', source: instanceUrl(project, name), project });
  });
}

/** `PUT`: the whole, by an operation. */
export function startUpdate(context: InstancesContext, request: UpdateRequest): Promise<OperationView> {
  const { project, name, body } = request;
  findInstance(context.services, project, name);
  // The stock client says which instance it means, too.
  const restore = body.restore?.replace(`${name}/`, '');
  if (restore) return startRestore(context, project, name, restore, body.stateful);
  checkProfiles(context, request);
  return context.services.operations.start({
    class: 'task',
    description: 'Updating instance',
    project,
    resources: { instances: [name], containers: [name] },
    run: ({ id, signal }) => change(context, request, (record) => replaced(record, body), id, signal),
  });
}

/** `PATCH`: what is given, at once. LXD answers what is wrong with it by 500. */
export async function patch(
  context: InstancesContext,
  request: UpdateRequest,
  signal: AbortSignal,
): Promise<void> {
  const { project, name, body } = request;
  findInstance(context.services, project, name);
  checkProfiles(context, request);
  try {
    await change(context, request, (record) => merged(record, body), '', signal);
  } catch (error) {
    const { code, message } = toLxdError(error);
    throw code === 'invalid' ? new LxdError('internal', message, { cause: error }) : error;
  }
}
