import type { InstanceStatus } from '@lxd-ts/core';

/** What is seen of an instance before anything is done. */
export interface Observed {
  status: InstanceStatus;
  /** A start left its mark and no stop removed it: devices may still be held. */
  runState: boolean;
}

/** One thing to do, taken back by its own undo. Done already: nothing happens. */
export type Step =
  | { do: 'claim-ids' }
  | { do: 'open-root' }
  | { do: 'record-run' }
  | { do: 'apply-templates' }
  | { do: 'start-devices' }
  | { do: 'open-devlxd' }
  | { do: 'prepare-app' }
  | { do: 'write-config' }
  | { do: 'start-init' }
  | { do: 'settle-devices' }
  | { do: 'shut-down'; timeoutMs: number }
  | { do: 'kill' }
  | { do: 'release-devices' }
  | { do: 'close-root' }
  | { do: 'forget-run' };

const release: Step[] = [{ do: 'release-devices' }, { do: 'close-root' }, { do: 'forget-run' }];

export const isUp = ({ status }: Pick<Observed, 'status'>): boolean =>
  status !== 'Stopped' && status !== 'Error';

/** From what is to running. What an interrupted start left is cleared away first. */
export function planStart(observed: Observed): Step[] {
  if (isUp(observed)) return [];
  return [
    ...(observed.runState ? release : []),
    { do: 'claim-ids' },
    { do: 'record-run' },
    { do: 'open-root' },
    { do: 'apply-templates' },
    { do: 'open-devlxd' },
    { do: 'start-devices' },
    { do: 'prepare-app' },
    { do: 'write-config' },
    { do: 'start-init' },
    { do: 'settle-devices' },
  ];
}

/** From what is to stopped with nothing held. */
export function planStop(observed: Observed, stop: { force: boolean; timeoutMs: number }): Step[] {
  if (!isUp(observed)) return observed.runState ? [...release] : [];
  // What is frozen cannot shut itself down.
  const clean = !stop.force && observed.status !== 'Frozen';
  return [
    ...(clean ? [{ do: 'shut-down', timeoutMs: stop.timeoutMs } as const] : []),
    { do: 'kill' },
    ...release,
  ];
}
