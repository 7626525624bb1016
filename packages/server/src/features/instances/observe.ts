import { toLxdError, type InstanceSpec } from '@lxd-ts/core';
import type { Observation, ObservedInstance, Outcome } from '@lxd-ts/rpc';
import type { StatusRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { dropOrphans } from '../backups/files.ts';
import { dropUnrecordedImages } from '../images/unrecorded.ts';
import { instanceUrl, isUp, statusOf, type InstancesContext } from './context.ts';
import { perhapsForeign, stopForeign } from './foreign.ts';
import { deleteEphemeral } from './state-change.ts';
import { instanceSpec } from './spec.ts';
import { withOutcome } from './volatile.ts';

const maxAttempts = 20;

const statusRecord = ({ status, pid, message }: ObservedInstance): StatusRecord => ({
  status,
  pid,
  ...(message === undefined ? {} : { message }),
});

const same = (a: StatusRecord | undefined, b: StatusRecord): boolean =>
  a?.status === b.status && a.pid === b.pid && a.message === b.message;

/** What runs on a member as far as is known, as it should be. */
export const runningSpecs = ({ services, placer }: InstancesContext, member: string): InstanceSpec[] =>
  placer.loads
    .heldBy(member)
    .filter(([project, name]) => isUp(statusOf(services, project, name)))
    .flatMap(([project, name]) => services.records.get('instances', project, name)?.value ?? [])
    .filter(({ pending }) => !pending)
    .map((record) => instanceSpec(services, record, member));

/** Everything a member has, after its agent connected: what it does not name is stopped. */
async function observeAll(
  context: InstancesContext,
  member: string,
  instances: ObservedInstance[],
  signal: AbortSignal,
): Promise<void> {
  const { services } = context;
  const placedHere = ({ project, name }: ObservedInstance) =>
    services.records.get('placements', project, name)?.value.member === member;
  const up = instances.filter((one) => isUp(one.status) && placedHere(one));
  const strange = [
    ...instances.filter((one) => !placedHere(one)),
    ...(await perhapsForeign(context, up, signal)),
  ];
  await Promise.all(strange.map((one) => stopForeign(context, member, one, signal)));
  const seen = new Map(instances.map((instance) => [`${instance.project}/${instance.name}`, instance]));
  const changed: [id: [string, string], record: StatusRecord][] = [];
  for (const [project, name] of context.placer.loads.heldBy(member)) {
    const observed = seen.get(`${project}/${name}`);
    const next: StatusRecord = observed ? statusRecord(observed) : { status: 'Stopped', pid: 0 };
    if (!same(services.records.get('statuses', project, name)?.value, next))
      changed.push([[project, name], next]);
  }
  for (let at = 0; at < changed.length; at += 100) {
    const transaction = services.records.transaction();
    for (const [id, record] of changed.slice(at, at + 100)) transaction.put('statuses', id, record);
    await transaction.commit({ signal });
  }
}

/** Whether it was this server that put the status on record. */
async function recordStatus(
  { records }: Services,
  id: [project: string, name: string],
  next: StatusRecord,
  signal: AbortSignal,
): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    const before = records.get('statuses', ...id);
    if (same(before?.value, next)) return false;
    const transaction = records.transaction();
    if (before) transaction.update('statuses', id, before.revision, next);
    else transaction.create('statuses', id, next);
    try {
      await transaction.commit({ signal });
      return true;
    } catch (error) {
      if (toLxdError(error).code !== 'precondition-failed' || attempt >= maxAttempts) throw error;
    }
  }
}

/** An instance that ended by itself: on record as stopped; an ephemeral one goes. */
async function ended(
  context: InstancesContext,
  { project, name }: ObservedInstance,
  signal: AbortSignal,
): Promise<void> {
  const { services, busy } = context;
  await busy.queue({ project, name }, 'stop', async () => {
    const record = services.records.get('instances', project, name)?.value;
    if (!record || record.pending) return;
    // Its agent has released the devices already.
    const released = Object.keys(record.config).filter((key) => /^volatile\..+\.host_name$/.test(key));
    const volatile = {
      'volatile.last_state.power': 'STOPPED',
      ...Object.fromEntries(released.map((key) => [key, null])),
    };
    // Every server of the control plane hears of it; who puts it on record does what follows.
    const told = { ours: false };
    await services.records.modify(
      'instances',
      [project, name],
      (value) => {
        const config = withOutcome(value.config, { volatile });
        told.ours = JSON.stringify(config) !== JSON.stringify(value.config);
        return told.ours ? { ...value, config } : undefined;
      },
      { signal },
    );
    if (!told.ours) return;
    services.events.lifecycle({ action: 'instance-shutdown', source: instanceUrl(project, name), project });
    if (record.ephemeral) await deleteEphemeral(context, project, name, '', signal);
  });
}

/** It was started again by its agent; `volatile` is what that changed. */
async function rebooted(
  { services }: InstancesContext,
  { project, name }: ObservedInstance,
  volatile: Outcome['volatile'],
  signal: AbortSignal,
): Promise<void> {
  await services.records.modify(
    'instances',
    [project, name],
    (value) => ({ ...value, config: withOutcome(value.config, { volatile }) }),
    { signal },
  );
  const source = instanceUrl(project, name);
  for (const action of ['instance-shutdown', 'instance-restarted'] as const)
    services.events.lifecycle({ action, source, project });
}

/** For the registry of agents: what one of them tells by itself. Never throws; what fails is logged. */
export async function observe(
  context: InstancesContext,
  member: string,
  observation: Observation,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const { services, busy } = context;
  try {
    if (observation.kind === 'all') {
      await observeAll(context, member, observation.instances, signal);
      await dropOrphans(services, member, signal);
      // Not waited for: what is large goes slowly.
      void dropUnrecordedImages(services, member, signal);
      return;
    }
    const { instance, cause, volatile } = observation;
    const { project, name } = instance;
    // Of a change that this server makes, the change itself writes the outcome.
    const byItself = busy.action(project, name) === undefined;
    if (services.records.get('placements', project, name)?.value.member !== member) {
      if (isUp(instance.status)) await stopForeign(context, member, instance, signal);
      return;
    }
    const next = statusRecord(instance);
    const recorded =
      (byItself || isUp(next.status)) && (await recordStatus(services, [project, name], next, signal));
    if (cause === 'reboot' && recorded) await rebooted(context, instance, volatile ?? {}, signal);
    if (cause === 'shutdown' && byItself && !isUp(next.status)) await ended(context, instance, signal);
  } catch (error) {
    services.log.warn('an observation was not recorded', { member, error: toLxdError(error).message });
  }
}
