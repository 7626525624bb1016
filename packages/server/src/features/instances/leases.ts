import { isTrue, toLxdError } from '@lxd-ts/core';
import type { Duty } from '../../cluster/leader.ts';
import { isUp, statusOf, type InstancesContext } from './context.ts';
import { startDelete } from './delete.ts';
import { expandIn } from './expand.ts';
import { startStateChange } from './state-change.ts';

const lookMs = 5_000;

/**
 * Instances that somebody holds by moving `lease.expires_at` on, and whom nobody has heard of since. They are stopped, and
 * deleted the next time round: whatever is cut off in between is begun again.
 */
export const leases = (context: InstancesContext): Duty => {
  const { services } = context;
  const { records, clock, agents, log } = services;
  return {
    name: 'instances whose lease is over',
    everyMs: lookMs,
    async run({ signal }) {
      const now = clock.now();
      for (const { value } of records.list('instances')) {
        if (signal.aborted) return;
        const { project, name, config, pending } = value;
        const end = config['lease.expires_at'];
        // What is pending has its own end, after which it is looked at again.
        if (!end || new Date(end) > now || pending) continue;
        if (isTrue(expandIn(services, project, value).config['security.protection.delete'])) continue;
        const member = records.get('placements', project, name)?.value.member;
        if (member === undefined || agents.state(member) !== 'online') continue;
        try {
          if (isUp(statusOf(services, project, name)))
            await startStateChange(context, project, name, { action: 'stop', force: true });
          else await startDelete(context, project, name);
          log.info('the lease of an instance is over', { instance: name, end });
        } catch (error) {
          log.warn('an instance whose lease is over stays', {
            instance: name,
            error: toLxdError(error).message,
          });
        }
      }
    },
  };
};
