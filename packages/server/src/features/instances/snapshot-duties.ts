import { isTrue, toLxdError } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { Duty } from '../../cluster/leader.ts';
import { isUp, statusOf, type InstancesContext } from './context.ts';
import { expandIn } from './expand.ts';
import { isDue } from './snapshot-schedule.ts';
import { startSnapshot, startSnapshotDelete } from './snapshots.ts';

const minuteMs = 60_000;
/** Often enough that no minute is missed. */
const lookMs = 20_000;

/** One that cannot be begun keeps nobody from the others. */
async function begin(
  { services }: InstancesContext,
  instance: string,
  start: () => Promise<OperationView>,
): Promise<void> {
  try {
    await start();
  } catch (error) {
    services.log.warn('a snapshot duty was not begun', { instance, error: toLxdError(error).message });
  }
}

/** Snapshots whose time is over go. */
const expired = (context: InstancesContext): Duty => {
  const { records, clock, agents } = context.services;
  return {
    name: 'expired snapshots',
    everyMs: minuteMs,
    async run({ signal }) {
      const now = clock.now();
      for (const { value } of records.list('snapshots')) {
        if (signal.aborted) return;
        const { project, instance, name, expiresAt } = value;
        if (!expiresAt || new Date(expiresAt) > now) continue;
        const member = records.get('placements', project, instance)?.value.member;
        if (member === undefined || agents.state(member) !== 'online') continue;
        await begin(context, instance, () =>
          startSnapshotDelete(context, { project, name: instance, snapshot: name }),
        );
      }
    },
  };
};

/** Snapshots that are made by `snapshots.schedule`. */
const scheduled = (context: InstancesContext): Duty => {
  const { services } = context;
  let last = 0;
  return {
    name: 'scheduled snapshots',
    everyMs: lookMs,
    async run({ signal }) {
      const now = services.clock.now();
      const minute = Math.floor(now.getTime() / minuteMs);
      // Once in a minute; what was missed while nobody led is not made up for.
      if (minute <= last) return;
      last = minute;
      for (const { value } of services.records.list('instances')) {
        if (signal.aborted) return;
        const { project, name } = value;
        const { config } = expandIn(services, project, value);
        if (!isDue(config['snapshots.schedule'], now)) continue;
        const runs = isUp(statusOf(services, project, name));
        if (!runs && !isTrue(config['snapshots.schedule.stopped'])) continue;
        await begin(context, name, () => startSnapshot(context, project, name, {}));
      }
    },
  };
};

/** What the leader does for snapshots. */
export const snapshotDuties = (context: InstancesContext): Duty[] => [expired(context), scheduled(context)];
