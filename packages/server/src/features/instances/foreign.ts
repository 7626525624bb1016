import { setTimeout as sleep } from 'node:timers/promises';
import { toLxdError, type InstanceRef, type InstanceSpec } from '@lxd-ts/core';
import type { InstancesContext } from './context.ts';
import { instanceSpec } from './spec.ts';

const timeoutMs = 60_000;
const againMs = 1_000;
const atMostAgainMs = 60_000;
/** As many as one transaction takes. */
const batch = 100;

/**
 * An instance that runs on a member where it is not placed: the cluster went on without the member while it was away.
 * It is stopped. Its files stay, for whoever has to find out: nothing is deleted on a suspicion, and a move deletes
 * what it leaves behind itself.
 * @returns whether that is settled; else it is to be looked at again
 */
async function stopNow(
  { services, busy }: InstancesContext,
  member: string,
  { project, name }: InstanceRef,
): Promise<boolean> {
  const { records, log } = services;
  const signal = AbortSignal.timeout(timeoutMs);
  const fields = { member, project, instance: name };
  try {
    for (;;) {
      const placed = records.get('placements', project, name);
      // Our memory may be old: only what etcd says now counts.
      try {
        await records
          .transaction()
          .guard('placements', [project, name], placed?.revision ?? 0)
          .commit({ signal });
      } catch (error) {
        if (toLxdError(error).code !== 'precondition-failed') throw error;
        continue;
      }
      if (placed?.value.member === member || placed?.value.target === member) return true;
      // While a member gets another name, its placements and its agent may go by different ones.
      const own = records.get('members', member)?.value;
      if (!own) return true;
      const record = records.get('instances', project, name)?.value;
      // What is under way decides itself where it belongs.
      if (own.pending?.kind === 'rename' || record?.pending || busy.action(project, name)) return false;
      const spec: InstanceSpec = record
        ? instanceSpec(services, record, member)
        : {
            project,
            name,
            type: 'container',
            architecture: '',
            ephemeral: false,
            config: {},
            devices: {},
            pools: {},
            networks: {},
          };
      const agent = services.agents.get(member);
      await agent.stopInstance(spec, { force: true, timeoutMs: 0 }, { signal });
      log.warn('an instance ran where it is not placed, and was stopped', {
        ...fields,
        placed: placed?.value.member ?? 'nowhere',
      });
      return true;
    }
  } catch (error) {
    log.error('an instance runs where it is not placed', { ...fields, error: toLxdError(error).message });
    return false;
  }
}

/** Until it is settled, or the member is gone. @param signal aborts with the member's connection */
export async function stopForeign(
  context: InstancesContext,
  member: string,
  instance: InstanceRef,
  signal: AbortSignal,
): Promise<void> {
  if (await stopNow(context, member, instance)) return;
  const lookAgain = async () => {
    for (let waitMs = againMs; ; waitMs = Math.min(waitMs * 2, atMostAgainMs)) {
      await sleep(waitMs, undefined, { signal, ref: false });
      if (await stopNow(context, member, instance)) return;
    }
  };
  // Nobody waits for that: what else is observed has to be told meanwhile.
  lookAgain().catch(() => undefined);
}

/** Those of them that are placed on the member by all we know, but perhaps not by what etcd says now. */
export async function perhapsForeign<T extends InstanceRef>(
  { services: { records } }: InstancesContext,
  instances: readonly T[],
  signal: AbortSignal,
): Promise<T[]> {
  const doubtful: T[] = [];
  for (let at = 0; at < instances.length; at += batch) {
    const some = instances.slice(at, at + batch);
    const transaction = records.transaction();
    for (const { project, name } of some)
      transaction.guard(
        'placements',
        [project, name],
        records.get('placements', project, name)?.revision ?? 0,
      );
    try {
      await transaction.commit({ signal });
    } catch (error) {
      if (toLxdError(error).code !== 'precondition-failed') throw error;
      doubtful.push(...some);
    }
  }
  return doubtful;
}
