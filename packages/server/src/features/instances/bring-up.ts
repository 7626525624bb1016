import { toLxdError } from '@lxd-ts/core';
import type { MemberStatusRecord } from '@lxd-ts/state';
import type { InstancesContext } from './context.ts';
import { startAll } from './power.ts';

const maxAttempts = 20;

/**
 * A start of an agent is answered once, by one server of the control plane: a member that only lost its connection, or a
 * server that comes back, starts nothing. A server that ended while it was at it goes on when it is back.
 * @returns whether this server is to start what should run
 */
async function claim({ services }: InstancesContext, member: string, signal: AbortSignal): Promise<boolean> {
  const { records, agents, server, clock } = services;
  const run = agents.description(member)?.run;
  if (run === undefined) return true;
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const known = records.get('memberStatuses', member);
    if (known?.value.run === run) return known.value.starting === server;
    const since = clock.now().toISOString();
    const value: MemberStatusRecord = {
      name: member,
      state: 'online',
      since,
      ...known?.value,
      run,
      starting: server,
    };
    const transaction = records.transaction();
    if (known) transaction.update('memberStatuses', [member], known.revision, value);
    else transaction.create('memberStatuses', [member], value);
    try {
      await transaction.commit({ signal });
      return true;
    } catch (error) {
      if (toLxdError(error).code !== 'precondition-failed') throw error;
    }
  }
  return false;
}

/** After the agent of a member has started: what should run there is started. Failures of single ones are logged. */
export async function bringUp(
  context: InstancesContext,
  member: string,
  options: { signal: AbortSignal },
): Promise<void> {
  if (!(await claim(context, member, options.signal))) return;
  const evacuated = context.services.records.get('members', member)?.value.state === 'Evacuated';
  if (!evacuated) await startAll(context, member, options);
  const { records } = context.services;
  if (records.get('memberStatuses', member)?.value.starting === undefined) return;
  await records.modify('memberStatuses', [member], ({ starting: _, ...rest }) => rest, options);
}
