import { LxdError, toLxdError } from '@lxd-ts/core';
import type { OperationView, RunningOperation } from '@lxd-ts/operations';
import type { MigratedSnapshot } from '@lxd-ts/rpc';
import type { InstanceRecord, Pending } from '@lxd-ts/state';
import { snapshotsToSend } from '../migration/snapshots.ts';
import { findInstance, isUp, memberOf, statusOf, unwindTimeoutMs, type InstancesContext } from './context.ts';
import { expandIn } from './expand.ts';
import { intend, withoutPending } from './pending.ts';
import { finishPoolMove, moveToPool } from './move-pool.ts';
import { renameWithin } from './rename.ts';
import type { InstancePost } from './requests.ts';
import { settle, unchanged } from './snapshot-records.ts';
import { sendFiles, type Files, type Wait } from './send-files.ts';
import { instanceSpec } from './spec.ts';
import { startWithin, stopWithin } from './state-change.ts';

const maxAttempts = 20;
const defaultShutdownSeconds = 30;

export interface MoveRequest {
  project: string;
  name: string;
  body: InstancePost;
  /** A member, or a group as `@group`. */
  target?: string | undefined;
}

interface MoveDetail {
  from: string;
  to: string;
  running?: 'true';
  temporary?: string;
}

/** One pass of its files to `to`; what is there of it already is brought up to date. */
function pass(
  { services }: InstancesContext,
  { project, name }: InstanceRecord,
  to: string,
  files: Files,
  wait: Wait,
): Promise<unknown> {
  const record = withoutPending(findInstance(services, project, name).value);
  const from = memberOf(services, project, name);
  return sendFiles(services, { record, member: from }, { record, member: to }, files, wait);
}

/** The intent, with the room it will have at its new place. Undefined: it is there already. */
async function begin(
  context: InstancesContext,
  project: string,
  name: string,
  target: string,
  { id, signal }: Pick<RunningOperation, 'id' | 'signal'>,
): Promise<{ after: InstanceRecord; detail: MoveDetail } | undefined> {
  const { services, placer } = context;
  for (let attempt = 0; ; attempt++) {
    const { value } = findInstance(services, project, name);
    const placed = services.records.get('placements', project, name);
    if (!placed) throw new LxdError('not-found', 'Instance not found');
    const from = placed.value.member;
    using choice = await placer.choose({ ...value, target }, signal);
    const to = choice.member;
    if (to === from) return undefined;
    services.agents.get(from);
    services.agents.get(to);
    const running = isUp(statusOf(services, project, name));
    // What the last difference is told from; nobody else sees it.
    const detail: MoveDetail = { from, to, ...(running ? { running: 'true', temporary: `move-${id}` } : {}) };
    try {
      const intent = { kind: 'move' as const, operation: id, detail: { ...detail } };
      const { after } = await intend(context, project, name, intent, unchanged, {
        signal,
        also: (_, transaction) => {
          transaction.update('placements', [project, name], placed.revision, { ...placed.value, target: to });
          choice.stake(transaction);
        },
      });
      return { after, detail };
    } catch (error) {
      // The room was taken by another, or the instance was changed: look again.
      if (toLxdError(error).code !== 'precondition-failed' || attempt >= maxAttempts) throw error;
    }
  }
}

/** The one moment at which it changes its place. */
async function commit(
  { services }: InstancesContext,
  { project, name }: InstanceRecord,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const placed = services.records.get('placements', project, name);
    // Whoever thought that this server is gone has put it right meanwhile.
    if (placed?.value.target !== to)
      throw new LxdError('conflict', 'The move was given up by another server');
    const { target: _, ...room } = placed.value;
    try {
      await services.records
        .transaction()
        .update('placements', [project, name], placed.revision, { ...room, member: to })
        .commit({ signal });
      return;
    } catch (error) {
      if (toLxdError(error).code !== 'precondition-failed' || attempt >= maxAttempts) throw error;
    }
  }
}

/**
 * Puts right what a move left, wherever it was cut off: what the placement says is where the instance is, what the other
 * member has of it goes, and what ran runs again.
 */
export async function settleMove(
  context: InstancesContext,
  record: InstanceRecord,
  { detail = {} }: Pending,
  signal: AbortSignal,
): Promise<void> {
  const { services } = context;
  const { project, name } = record;
  if (detail['pool'] !== undefined) {
    await finishPoolMove(context, record, detail, signal);
    return;
  }
  const here = memberOf(services, project, name);
  const other = here === detail['to'] ? detail['from'] : detail['to'];
  const spec = (member: string) => instanceSpec(services, withoutPending(record), member);
  if (detail['running'] === 'true' && !isUp(statusOf(services, project, name)))
    await startWithin(context, project, name, signal).catch((error: unknown) => {
      services.log.error('a moved instance does not start', {
        instance: name,
        error: toLxdError(error).message,
      });
    });
  if (other !== undefined && other !== here)
    await services.agents.get(other).deleteInstance(spec(other), { signal });
  const temporary = detail['temporary'];
  if (temporary !== undefined)
    await services.agents.get(here).deleteSnapshot(spec(here), temporary, { signal });
  await settle(services, project, name, unchanged, (transaction) => {
    const placed = services.records.get('placements', project, name);
    if (placed?.value.target === undefined) return;
    const { target: _, ...room } = placed.value;
    transaction.update('placements', [project, name], placed.revision, room);
  });
}

/** Moves it to another member within an operation; its turn is the caller's. */
async function moveToMember(
  context: InstancesContext,
  project: string,
  name: string,
  target: string,
  operation: Pick<RunningOperation, 'id' | 'signal' | 'update'>,
): Promise<void> {
  const { services } = context;
  const { id, signal } = operation;
  const begun = await begin(context, project, name, target, operation);
  if (!begun) return;
  const { after, detail } = begun;
  const { from, to, temporary } = detail;
  const wait: Wait = { signal, onProgress: (progress) => operation.update(progress) };
  const pending: Pending = { kind: 'move', operation: id, server: services.server, detail: { ...detail } };
  try {
    const snapshots = snapshotsToSend(services, project, name);
    if (temporary !== undefined) {
      const now = services.clock.now().toISOString();
      const mark: MigratedSnapshot = {
        name: temporary,
        config: {},
        devices: {},
        profiles: [],
        ephemeral: false,
        stateful: false,
        architecture: after.architecture,
        createdAt: now,
        lastUsedAt: '',
        expiresAt: '',
      };
      const all = [...snapshots, mark];
      await services.agents
        .get(from)
        .createSnapshot(instanceSpec(services, after, from), temporary, { signal });
      await pass(context, after, to, { snapshots: all, running: true }, wait);
      const { config } = expandIn(services, project, after);
      const seconds = Number(config['boot.host_shutdown_timeout'] ?? defaultShutdownSeconds);
      await stopWithin(context, project, name, seconds * 1000, signal);
      await pass(context, after, to, { snapshots: all, present: all, running: false }, wait);
    } else await pass(context, after, to, { snapshots, running: false }, wait);
    await commit(context, after, to, signal);
  } catch (error) {
    // Before the commit it is where it was; after one whose answer was lost it is there. The record knows.
    await settleMove(context, after, pending, AbortSignal.timeout(unwindTimeoutMs)).catch(
      (failure: unknown) => {
        services.log.error('taking back a failed move failed; it is tried again later', {
          instance: name,
          error: toLxdError(failure).message,
        });
      },
    );
    if (memberOf(services, project, name) !== to) throw error;
    return;
  }
  await settleMove(context, after, pending, AbortSignal.timeout(unwindTimeoutMs)).catch(
    (failure: unknown) => {
      // It is moved; what is left of it goes when its member answers again.
      services.log.warn('what a move left behind is removed later', {
        instance: name,
        member: from,
        error: toLxdError(failure).message,
      });
    },
  );
}

/** Brings an instance to another member within an operation, in its turn. */
export const moveInstance = (
  context: InstancesContext,
  { project, name }: { project: string; name: string },
  target: string,
  operation: Pick<RunningOperation, 'id' | 'signal' | 'update'>,
): Promise<void> =>
  context.busy.queue({ project, name }, 'move', () =>
    moveToMember(context, project, name, target, operation),
  );

/** Whether a request is a move on this server or within the cluster, not a rename or a migration between servers. */
export const isMove = ({ body, target }: Pick<MoveRequest, 'body' | 'target'>): boolean =>
  target !== undefined || (body.migration === true && Boolean(body.pool) && !body.target);

/** To another member, another pool, another name, one after the other. @throws LxdError `not-found`, `invalid`, `conflict` */
export function startMove(context: InstancesContext, request: MoveRequest): Promise<OperationView> {
  const { services, busy, placer } = context;
  const { project, name, body, target } = request;
  findInstance(services, project, name);
  const to = body.name || name;
  if (body.project && body.project !== project)
    throw new LxdError('unsupported', 'Moving an instance to another project is not supported yet');
  if (target !== undefined) {
    if (services.records.list('members').length < 2)
      throw new LxdError('invalid', 'Target only allowed when clustered');
    placer.checkTarget(target);
    if (target === memberOf(services, project, name))
      throw new LxdError('invalid', "Target must be different than instance's current location");
    if (body.live && isUp(statusOf(services, project, name)))
      throw new LxdError(
        'unsupported',
        'A running instance cannot be moved with its memory: move it with --stateless, or stop it first',
      );
  }
  return services.operations.start({
    class: 'task',
    description: 'Migrating instance',
    described: 'all',
    project,
    resources: { instances: [name] },
    run: (operation) =>
      busy.queue({ project, name }, 'move', async () => {
        if (to !== name && services.records.get('instances', project, to))
          throw new LxdError(
            'conflict',
            'Failed creating instance record: Add instance info to the database: This "instances" entry already exists',
          );
        if ((body.pool || to !== name) && isUp(statusOf(services, project, name)))
          throw new LxdError('invalid', 'A running instance is moved only to another member: stop it first');
        if (target !== undefined) await moveToMember(context, project, name, target, operation);
        if (body.pool) await moveToPool(context, project, name, body.pool, operation);
        if (to !== name) await renameWithin(context, project, name, to, operation);
      }),
  });
}
