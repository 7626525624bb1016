import { toLxdError } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { Duty } from '../../cluster/leader.ts';
import { isDue } from '../instances/snapshot-schedule.ts';
import type { VolumesContext } from './context.ts';
import { startSnapshot, startSnapshotDelete } from './snapshots.ts';

const minuteMs = 60_000;
/** Often enough that no minute is missed. */
const lookMs = 20_000;

const nobody = { username: '', protocol: 'unix' } as const;

/** One that cannot be begun keeps nobody from the others. */
async function begin(
  { services }: VolumesContext,
  volume: string,
  start: () => Promise<OperationView>,
): Promise<void> {
  try {
    await start();
  } catch (error) {
    services.log.warn('a snapshot duty was not begun', { volume, error: toLxdError(error).message });
  }
}

/** What the leader does for snapshots of volumes: those whose time is over go, those of `snapshots.schedule` are taken. */
export function volumeDuties(context: VolumesContext): Duty[] {
  const { records, clock, agents } = context.services;
  let last = 0;
  return [
    {
      name: 'expired snapshots of volumes',
      everyMs: minuteMs,
      async run({ signal }) {
        const now = clock.now();
        for (const { value } of records.list('volumeSnapshots')) {
          if (signal.aborted) return;
          const { pool, project, volume, member, name, expiresAt } = value;
          if (!expiresAt || new Date(expiresAt) > now || agents.state(member) !== 'online') continue;
          const found = records.get('volumes', pool, project, volume, member);
          if (found) await begin(context, volume, () => startSnapshotDelete(context, found, name, nobody));
        }
      },
    },
    {
      name: 'scheduled snapshots of volumes',
      everyMs: lookMs,
      async run({ signal }) {
        const now = clock.now();
        const minute = Math.floor(now.getTime() / minuteMs);
        // Once in a minute; what was missed while nobody led is not made up for.
        if (minute <= last) return;
        last = minute;
        for (const found of records.list('volumes')) {
          if (signal.aborted) return;
          const { name, member, config } = found.value;
          if (!isDue(config['snapshots.schedule'], now) || agents.state(member) !== 'online') continue;
          await begin(context, name, () => startSnapshot(context, found, {}, nobody));
        }
      },
    },
  ];
}
