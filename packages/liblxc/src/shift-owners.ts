import type { ShiftedRange } from './liblxc.ts';
import { runHelper } from './run-helper.ts';

/** See `Liblxc.shiftOwners`. */
export function shiftOwners(
  program: string,
  path: string,
  ranges: readonly ShiftedRange[],
  signal: AbortSignal,
): Promise<void> {
  const args = ranges.map(({ users, groups, outside, inside, length }) => {
    const whose = `${users ? 'u' : ''}${groups ? 'g' : ''}`;
    return `${whose} ${outside} ${inside} ${length}`;
  });
  return runHelper(program, ['shift', path, ...args], 'The owners of files cannot be changed', signal);
}
