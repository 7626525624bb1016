import { LxdError, toLxdError, type Config } from '@lxd-ts/core';
import type { OperationView, RunningOperation } from '@lxd-ts/operations';
import type { InstanceRecord, MemberRecord } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import { isUp, statusOf, type InstancesContext } from '../instances/context.ts';
import { expandIn } from '../instances/expand.ts';
import { changeState, type StateChange } from '../instances/state-change.ts';
import {
  findMember,
  holding,
  memberUrl,
  mustBeClustered,
  recordTimeoutMs,
  tell,
  type ClusterContext,
} from './context.ts';

export interface MemberStatePost {
  action?: string;
  mode?: string;
}

/** Brings a stopped instance to another member. */
export type MoveInstance = (
  ref: { project: string; name: string },
  target: string,
  options: Pick<RunningOperation, 'id' | 'signal' | 'update'>,
) => Promise<void>;

export interface EvacuationContext extends ClusterContext {
  instances: InstancesContext;
  /** Absent: instances are only stopped and started. */
  move?: MoveInstance | undefined;
}

type Kind = 'evacuate' | 'restore';
type Operation = Pick<RunningOperation, 'id' | 'signal' | 'update'>;

const origin = 'volatile.evacuate.origin';
const power = 'volatile.last_state.power';

const words: Readonly<Record<Kind, { description: string; already: string; done: string }>> = {
  evacuate: {
    description: 'Evacuating cluster member',
    already: 'Cluster member is already evacuated',
    done: 'cluster-member-evacuated',
  },
  restore: {
    description: 'Restoring cluster member',
    already: 'Cluster member is already restored',
    done: 'cluster-member-restored',
  },
};

const keyOf = ({ project, name }: { project: string; name: string }): string => `${project}/${name}`;

/** Of the intent on record: who is to run in the end. */
const runningOf = (pending: MemberRecord['pending']): ReadonlySet<string> =>
  new Set(JSON.parse(pending?.detail?.['running'] ?? '[]') as string[]);

/** The instances of a member that run, or would if they could. */
function runningNow({ services }: ClusterContext, member: string): string[] {
  const { records } = services;
  return records
    .list('instances')
    .map(({ value }) => value)
    .filter(
      ({ project, name, config }) =>
        config[origin] === member || records.get('placements', project, name)?.value.member === member,
    )
    .filter(
      ({ project, name, config }) => isUp(statusOf(services, project, name)) || config[power] === 'RUNNING',
    )
    .map(keyOf);
}

/** One instance on its way. */
class Passenger {
  readonly #context: EvacuationContext;
  readonly #ref: { project: string; name: string };
  readonly #operation: Operation;
  readonly #running: ReadonlySet<string>;

  constructor(
    context: EvacuationContext,
    { project, name }: InstanceRecord,
    operation: Operation,
    running: ReadonlySet<string>,
  ) {
    this.#context = context;
    this.#ref = { project, name };
    this.#operation = operation;
    this.#running = running;
  }

  #tell(what: string): void {
    const { project, name } = this.#ref;
    this.#operation.update({ evacuation_progress: `${what} "${name}" in project "${project}"` });
  }

  get #record(): InstanceRecord | undefined {
    return this.#context.services.records.get('instances', this.#ref.project, this.#ref.name)?.value;
  }

  get config(): Config {
    const record = this.#record;
    return record ? expandIn(this.#context.services, record.project, record).config : {};
  }

  get isUp(): boolean {
    return isUp(statusOf(this.#context.services, this.#ref.project, this.#ref.name));
  }

  /** It ran when we began, whether or not it was stopped by us already. */
  get shouldRun(): boolean {
    return this.#running.has(keyOf(this.#ref));
  }

  async stop(): Promise<void> {
    if (!this.isUp) return;
    this.#tell('Stopping');
    const { project, name } = this.#ref;
    const timeoutMs = 1000 * (Number(this.config['boot.host_shutdown_timeout'] ?? 30) || 30);
    const stop = (force: boolean) =>
      changeState(
        this.#context.instances,
        project,
        name,
        { action: 'stop', force, timeoutMs, powerAfter: 'RUNNING' },
        this.#operation,
      );
    await stop(false).catch(async (error: unknown) => {
      if (toLxdError(error).code === 'unavailable' || this.#operation.signal.aborted) throw error;
      if (this.isUp) await stop(true);
    });
  }

  /** It is to run again, whatever is on record of an end that we did not see to its end. */
  async waits(): Promise<void> {
    const { project, name } = this.#ref;
    await this.#context.services.records.modify(
      'instances',
      [project, name],
      (record) =>
        record.config[power] === 'RUNNING'
          ? undefined
          : { ...record, config: { ...record.config, [power]: 'RUNNING' } },
      { signal: this.#operation.signal },
    );
  }

  async start(): Promise<void> {
    if (this.isUp) return;
    this.#tell('Starting');
    const { project, name } = this.#ref;
    const change: StateChange = {
      ...{ action: 'start', force: false, timeoutMs: -1 },
      evenWhereEvacuated: true,
    };
    await changeState(this.#context.instances, project, name, change, this.#operation);
  }

  /** Where it came from; undefined: it is no guest. */
  async comesFrom(member: string | undefined): Promise<void> {
    const { project, name } = this.#ref;
    await this.#context.services.records.modify(
      'instances',
      [project, name],
      (record) => {
        const { [origin]: before, ...config } = record.config;
        if (before === member) return undefined;
        return { ...record, config: member === undefined ? config : { ...config, [origin]: member } };
      },
      { signal: this.#operation.signal },
    );
  }

  /** Another member that can take it; undefined when there is none. */
  async chooseTarget(): Promise<string | undefined> {
    const record = this.#record;
    const { move, instances } = this.#context;
    if (!record || !move) return undefined;
    try {
      using choice = await instances.placer.choose({ ...record, target: undefined }, this.#operation.signal);
      return choice.member;
    } catch (error) {
      if (toLxdError(error).code === 'unavailable') return undefined;
      throw error;
    }
  }

  async moveTo(member: string): Promise<void> {
    const { project, name } = this.#ref;
    if (this.#context.services.records.get('placements', project, name)?.value.member === member) return;
    this.#tell('Migrating');
    await this.#context.move?.(this.#ref, member, this.#operation);
  }
}

const number = (config: Config, key: string): number => Number(config[key] ?? 0) || 0;

function instancesOf({ services: { records } }: ClusterContext, which: (record: InstanceRecord) => boolean) {
  return records
    .list('instances')
    .map(({ value }) => value)
    .filter(which);
}

/** Every instance of the member is stopped, and goes on elsewhere where it may. */
async function evacuateAll(
  context: EvacuationContext,
  { name: member, pending }: MemberRecord,
  operation: Operation,
): Promise<void> {
  const { records } = context.services;
  const running = runningOf(pending);
  const here = instancesOf(
    context,
    ({ project, name }) => records.get('placements', project, name)?.value.member === member,
  )
    .map((record) => ({ record, passenger: new Passenger(context, record, operation, running) }))
    .sort(
      (a, b) =>
        number(b.passenger.config, 'boot.stop.priority') - number(a.passenger.config, 'boot.stop.priority'),
    );
  for (const { passenger } of here) {
    operation.signal.throwIfAborted();
    const mode = pending?.detail?.['mode'] || passenger.config['cluster.evacuate'] || 'auto';
    const { shouldRun } = passenger;
    await passenger.stop();
    if (shouldRun) await passenger.waits();
    if (mode === 'stop') continue;
    const target = await passenger.chooseTarget();
    // Nobody can take it: it waits here until the member is restored.
    if (target === undefined || target === member) continue;
    await passenger.comesFrom(member);
    await passenger.moveTo(target);
    if (shouldRun) await passenger.start();
  }
}

/** Guests come home, and what ran runs again. */
async function restoreAll(
  context: EvacuationContext,
  { name: member, pending }: MemberRecord,
  operation: Operation,
): Promise<void> {
  const { records } = context.services;
  const running = runningOf(pending);
  const isHere = ({ project, name }: InstanceRecord) =>
    records.get('placements', project, name)?.value.member === member;
  const guests = instancesOf(context, (record) => record.config[origin] === member);
  for (const record of instancesOf(context, (one) => isHere(one) && one.config[origin] !== member)) {
    operation.signal.throwIfAborted();
    const passenger = new Passenger(context, record, operation, running);
    if (passenger.shouldRun) await passenger.start();
  }
  for (const record of guests) {
    operation.signal.throwIfAborted();
    const passenger = new Passenger(context, record, operation, running);
    const { shouldRun } = passenger;
    if (!isHere(record)) await passenger.stop();
    await passenger.moveTo(member);
    await passenger.comesFrom(undefined);
    if (shouldRun) await passenger.start();
  }
}

/** What is on record is done, to its end or back. */
async function carryOut(context: EvacuationContext, member: string, operation: Operation): Promise<void> {
  const { records } = context.services;
  const { value: record } = findMember(context.services, member);
  const kind: Kind = record.pending?.kind === 'restore' ? 'restore' : 'evacuate';
  const end = (state: MemberRecord['state']) =>
    records.modify('members', [member], ({ pending: _pending, ...rest }) => ({ ...rest, state }), {
      signal: AbortSignal.timeout(recordTimeoutMs),
    });
  try {
    if (kind === 'evacuate') await evacuateAll(context, record, operation);
    else await restoreAll(context, record, operation);
    await end(kind === 'evacuate' ? 'Evacuated' : 'Active');
  } catch (error) {
    // When this server ends, the next one goes on; what failed is as it was before, with some on their way.
    if (!operation.signal.aborted) await end(kind === 'evacuate' ? 'Active' : 'Evacuated');
    throw error;
  }
}

const resources = {};

function startCarryingOut(
  context: EvacuationContext,
  member: string,
  kind: Kind,
  begin: (operationId: string) => Promise<void>,
  after: () => void,
): Promise<OperationView> {
  return context.services.operations.start({
    class: 'task',
    description: words[kind].description,
    project: 'default',
    resources,
    run: async (operation) => {
      await holding(context, member, async () => {
        await begin(operation.id);
        await carryOut(context, member, operation);
      });
      after();
    },
  });
}

/** `POST /1.0/cluster/members/{name}/state`. @throws LxdError `invalid`, `not-found`, `unavailable` */
export function startEvacuation(
  context: EvacuationContext,
  member: string,
  { action = '', mode = '' }: MemberStatePost,
  caller: Caller,
): Promise<OperationView> {
  mustBeClustered(context);
  const { services } = context;
  findMember(services, member);
  if (action !== 'evacuate' && action !== 'restore')
    throw new LxdError('invalid', `Unknown action "${action}"`);
  const kind: Kind = action;
  services.agents.get(member);
  const begin = async (operation: string): Promise<void> => {
    const { value, revision } = findMember(services, member);
    if ((value.state === 'Evacuated') === (kind === 'evacuate') && !value.pending)
      throw new LxdError('invalid', words[kind].already);
    if (value.pending)
      throw new LxdError('conflict', `Cluster member "${member}" is busy: ${value.pending.kind}`);
    const detail = { mode, running: JSON.stringify(runningNow(context, member)) };
    const pending = { kind, operation, server: services.server, detail };
    // Nothing new comes from now on, and until all is back.
    await services.records
      .transaction()
      .update('members', [member], revision, { ...value, state: 'Evacuated', pending })
      .commit({ signal: AbortSignal.timeout(recordTimeoutMs) });
  };
  return startCarryingOut(context, member, kind, begin, () =>
    tell(services, words[kind].done, memberUrl(member), caller),
  );
}

/** Goes on with what servers that ended had begun. What cannot be reached stays for the next time. */
export async function resumeEvacuations(
  context: EvacuationContext,
  servers: readonly string[],
): Promise<void> {
  const { services, inHand } = context;
  for (const { value } of services.records.list('members')) {
    const { name, pending } = value;
    if (pending?.kind !== 'evacuate' && pending?.kind !== 'restore') continue;
    if (!servers.includes(pending.server) || inHand.has(name)) continue;
    if (!services.agents.online().includes(name)) continue;
    await startCarryingOut(
      context,
      name,
      pending.kind,
      async () => Promise.resolve(),
      () => undefined,
    );
  }
}
