import { toLxdError, type InstanceSpec } from '@lxd-ts/core';
import type { InstanceRef } from '@lxd-ts/core';
import type { InstancesContext } from './context.ts';
import { instanceSpec } from './spec.ts';

const timeoutMs = 60_000;

/**
 * An instance that runs on a member where it is not placed: the cluster went on without the member while it was away.
 * It is stopped. Its files stay, for whoever has to find out: nothing is deleted on a suspicion, and a move deletes
 * what it leaves behind itself.
 */
export async function stopForeign(
  { services, busy }: InstancesContext,
  member: string,
  { project, name }: InstanceRef,
): Promise<void> {
  const { records, log } = services;
  const signal = AbortSignal.timeout(timeoutMs);
  const fields = { member, project, instance: name };
  try {
    for (;;) {
      // While a member gets another name, its placements and its agent may go by different ones.
      const own = records.get('members', member)?.value;
      if (!own || own.pending?.kind === 'rename') return;
      const record = records.get('instances', project, name)?.value;
      const placed = records.get('placements', project, name);
      // What is under way decides itself where it belongs.
      if (
        placed?.value.member === member ||
        placed?.value.target === member ||
        record?.pending ||
        busy.action(project, name)
      )
        return;
      // Our memory may be old: only what etcd says now is reason enough.
      try {
        await records
          .transaction()
          .guard('placements', [project, name], placed?.revision ?? 0)
          .commit({ signal });
      } catch (error) {
        if (toLxdError(error).code !== 'precondition-failed') throw error;
        continue;
      }
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
      return;
    }
  } catch (error) {
    log.error('an instance runs where it is not placed', { ...fields, error: toLxdError(error).message });
  }
}
