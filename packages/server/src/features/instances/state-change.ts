import { LxdError, toLxdError, type InstanceStatus } from '@lxd-ts/core';
import type { OperationView, RunningOperation } from '@lxd-ts/operations';
import type { Agent, Outcome } from '@lxd-ts/rpc';
import type { InstanceRecord } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import {
  findInstance,
  instanceUrl,
  isUp,
  memberOf,
  requestor,
  statusOf,
  type InstancesContext,
} from './context.ts';
import { removeInstance } from './remove.ts';
import type { InstanceStatePut } from './requests.ts';
import { instanceSpec } from './spec.ts';
import { withOutcome } from './volatile.ts';

export type StateAction = 'start' | 'stop' | 'restart' | 'freeze' | 'unfreeze';

export interface StateChange {
  action: StateAction;
  force: boolean;
  /** -1: for ever. */
  timeoutMs: number;
  caller?: Caller;
  /** What `volatile.last_state.power` says after a stop; `STOPPED` unless it is to run again at the next start. */
  powerAfter?: 'RUNNING';
  /** It stays although it is ephemeral: it is started again. */
  keep?: true;
  /** For a start on a member that is being restored. */
  evenWhereEvacuated?: true;
}

const descriptions: Readonly<Record<StateAction, string>> = {
  start: 'Starting instance',
  stop: 'Stopping instance',
  restart: 'Restarting instance',
  freeze: 'Freezing instance',
  unfreeze: 'Unfreezing instance',
};

const invalid = (message: string): LxdError => new LxdError('invalid', message);

/** @throws LxdError `invalid` for an unknown action */
export function parseStateChange(body: InstanceStatePut, caller?: Caller): StateChange {
  const action = body.action ?? '';
  if (!Object.hasOwn(descriptions, action)) throw invalid(`Unknown action: '${action}'`);
  const timeout = body.timeout ?? -1;
  return {
    action: action as StateAction,
    force: body.force ?? false,
    timeoutMs: timeout < 0 ? -1 : timeout * 1000,
    ...(caller ? { caller } : {}),
  };
}

interface Target {
  context: InstancesContext;
  record: InstanceRecord;
  agent: Agent;
  member: string;
  signal: AbortSignal;
}

/** @param own what is pending is the caller's */
function target(
  context: InstancesContext,
  project: string,
  name: string,
  signal: AbortSignal,
  own = false,
): Target {
  const { services } = context;
  const { value: record } = findInstance(services, project, name);
  if (record.pending && !own) throw invalid(`Instance is busy running a "${record.pending.kind}" operation`);
  const member = memberOf(services, project, name);
  return { context, record, agent: services.agents.get(member), member, signal };
}

/** Status and changed `volatile.*` keys, in one transaction. */
async function settle(
  { context: { services }, record: { project, name } }: Target,
  status: InstanceStatus,
  outcome: Outcome,
  change: Partial<InstanceRecord> = {},
): Promise<void> {
  // The effect has happened: it goes on record even when the caller has given up.
  const signal = AbortSignal.timeout(30_000);
  for (let attempt = 0; ; attempt++) {
    const { value, revision } = findInstance(services, project, name);
    const pid = services.records.get('statuses', project, name)?.value.pid ?? 0;
    const config = withOutcome(value.config, outcome);
    try {
      await services.records
        .transaction()
        .update('instances', [project, name], revision, { ...value, ...change, config })
        .put('statuses', [project, name], { status, pid: isUp(status) ? pid : 0 })
        .commit({ signal });
      return;
    } catch (error) {
      if (toLxdError(error).code !== 'precondition-failed' || attempt >= 20) throw error;
    }
  }
}

/** It is started only where it is placed now, not where it was when this server last heard. */
async function checkPlaced({ context: { services }, record, member, signal }: Target): Promise<void> {
  const { project, name } = record;
  // Alone there is nowhere else.
  if (services.records.list('members').length < 2) return;
  const placed = services.records.get('placements', project, name);
  if (placed?.value.member !== member)
    throw new LxdError('unavailable', 'The instance is being moved; try again');
  await services.records
    .transaction()
    .guard('placements', [project, name], placed.revision)
    .commit({ signal });
}

async function start(at: Target): Promise<void> {
  const { services } = at.context;
  await checkPlaced(at);
  const outcome = await at.agent.startInstance(instanceSpec(services, at.record, at.member), {
    signal: at.signal,
  });
  const volatile = {
    'volatile.idmap.current':
      outcome.volatile['volatile.idmap.next'] ?? at.record.config['volatile.idmap.next'] ?? null,
    'volatile.last_state.power': 'RUNNING',
    'volatile.apply_template': null,
    ...outcome.volatile,
  };
  await settle(at, 'Running', { volatile }, { lastUsedAt: services.clock.now().toISOString() });
}

async function stop(
  at: Target,
  change: Pick<StateChange, 'force' | 'timeoutMs'>,
  power: string,
): Promise<void> {
  const { services } = at.context;
  const spec = instanceSpec(services, at.record, at.member);
  const request = { force: change.force, timeoutMs: change.timeoutMs };
  const outcome = await at.agent
    .stopInstance(spec, request, { signal: at.signal })
    .catch((error: unknown) => {
      const { code } = toLxdError(error);
      if (code !== 'timeout') throw error;
      throw new LxdError(
        code,
        'Failed shutting down instance, status is "Running": context deadline exceeded',
        {
          cause: error,
        },
      );
    });
  await settle(at, 'Stopped', { volatile: { 'volatile.last_state.power': power, ...outcome.volatile } });
}

/** A start that belongs to something that is pending, whose turn it is. */
export const startWithin = (
  context: InstancesContext,
  project: string,
  name: string,
  signal: AbortSignal,
): Promise<void> => start(target(context, project, name, signal, true));

/** A stop that belongs to something that is pending; it will run again. By force what does not stop in time. */
export async function stopWithin(
  context: InstancesContext,
  project: string,
  name: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const at = () => target(context, project, name, signal, true);
  try {
    await stop(at(), { force: timeoutMs === 0, timeoutMs }, 'RUNNING');
  } catch (error) {
    if (signal.aborted) throw error;
    await stop(at(), { force: true, timeoutMs: 0 }, 'RUNNING');
  }
}

/** An ephemeral instance that stopped is deleted: intent first. */
export async function deleteEphemeral(
  { services }: InstancesContext,
  project: string,
  name: string,
  operation: string,
  signal: AbortSignal,
): Promise<void> {
  await services.records.modify(
    'instances',
    [project, name],
    (value) => ({ ...value, pending: { kind: 'delete', operation, server: services.server } }),
    { signal },
  );
  await removeInstance(services, project, name, signal);
  services.events.lifecycle({ action: 'instance-deleted', source: instanceUrl(project, name), project });
}

const done: Readonly<Record<StateAction, string>> = {
  start: 'instance-started',
  stop: 'instance-shutdown',
  restart: 'instance-restarted',
  freeze: 'instance-paused',
  unfreeze: 'instance-resumed',
};

/** One change of one instance, to its end. @throws LxdError worded as LXD words it */
export async function changeState(
  context: InstancesContext,
  project: string,
  name: string,
  change: StateChange,
  operation: Pick<RunningOperation, 'id' | 'signal'>,
): Promise<void> {
  const { services, busy } = context;
  const { action, force } = change;
  const ref = { project, name };
  const status = () => statusOf(services, project, name);
  const at = () => target(context, project, name, operation.signal);
  switch (action) {
    case 'start':
      await busy.run(ref, 'start', 'Failed to create instance start operation: ', async () => {
        if (isUp(status())) throw invalid('The instance is already running');
        const member = services.records.get('members', memberOf(services, project, name))?.value;
        if (member?.state === 'Evacuated' && !change.evenWhereEvacuated)
          throw invalid('Cluster member is evacuated');
        await start(at());
      });
      break;
    case 'stop':
      if (!isUp(status())) throw invalid('The instance is already stopped');
      await busy.run(ref, 'stop', 'Failed to create instance stop operation: ', async () => {
        await stop(at(), change, change.powerAfter ?? 'STOPPED');
        const { ephemeral } = findInstance(services, project, name).value;
        if (ephemeral && !change.keep)
          await deleteEphemeral(context, project, name, operation.id, operation.signal);
      });
      break;
    case 'restart':
      await busy.run(ref, 'restart', 'Create restart operation: ', async () => {
        if (!isUp(status())) throw invalid('The instance is already stopped');
        await stop(at(), change, 'RUNNING');
        await start(at());
      });
      break;
    case 'freeze':
    case 'unfreeze': {
      if (!isUp(status())) throw invalid("The container isn't running");
      const { record, agent, member, signal } = at();
      const spec = instanceSpec(services, record, member);
      if (action === 'freeze') {
        if (status() === 'Frozen') throw invalid('The container is already frozen');
        await agent.freezeInstance(spec, { signal });
      } else {
        if (status() === 'Running') throw invalid('The container is already running');
        await agent.unfreezeInstance(spec, { signal });
      }
      await settle(at(), action === 'freeze' ? 'Frozen' : 'Running', { volatile: {} });
    }
  }
  services.events.lifecycle({
    action: action === 'stop' && force ? 'instance-stopped' : done[action],
    source: instanceUrl(project, name),
    project,
    ...requestor(change.caller),
  });
}

/** `PUT …/state`. */
export function startStateChange(
  context: InstancesContext,
  project: string,
  name: string,
  body: InstanceStatePut,
  caller?: Caller,
): Promise<OperationView> {
  const change = parseStateChange(body, caller);
  findInstance(context.services, project, name);
  return context.services.operations.start({
    class: 'task',
    description: descriptions[change.action],
    described: 'later',
    project,
    resources: { instances: [name] },
    run: (operation) => {
      if (body.stateful) throw invalid(`Stateful ${change.action} of a container is not supported`);
      return changeState(context, project, name, change, operation);
    },
  });
}

/** `PUT /1.0/instances`: all of the project that the action can concern. */
export function startBulkStateChange(
  context: InstancesContext,
  project: string,
  body: InstanceStatePut,
  caller?: Caller,
): Promise<OperationView> {
  const change = parseStateChange(body, caller);
  const { services } = context;
  const concerned: Readonly<Record<StateAction, (status: InstanceStatus) => boolean>> = {
    start: (status) => !isUp(status),
    stop: isUp,
    restart: isUp,
    freeze: (status) => status === 'Running',
    unfreeze: (status) => status === 'Frozen',
  };
  const names = services.records
    .list('instances', project)
    .map(({ value }) => value.name)
    .filter((name) => concerned[change.action](statusOf(services, project, name)));
  return services.operations.start({
    class: 'task',
    description: descriptions[change.action],
    described: 'later',
    project,
    resources: { instances: names },
    run: async (operation) => {
      const results = await Promise.allSettled(
        names.map((name) => changeState(context, project, name, change, operation)),
      );
      const failures = results.flatMap((result, index) =>
        result.status === 'rejected'
          ? [` - Instance: ${names[index] ?? ''}: ${toLxdError(result.reason).message}\n`]
          : [],
      );
      if (failures.length > 0)
        throw invalid(`The following instances failed to update state:\n${failures.join('')}`);
    },
  });
}
