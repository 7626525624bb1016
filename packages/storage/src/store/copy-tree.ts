import type { Host } from '@lxd-ts/host';
import type { CopyOptions } from '../driver.ts';

/** Times are compared to the nanosecond: what is written twice in a second is not taken for the same. */
const rsync = ['rsync', '-aHAXS', '--modify-window=-1', '--numeric-ids', '--delete'] as const;

/**
 * `to` becomes what `from` is; what writes to `from` stands still for the last of it only.
 * @param but further options of rsync: what is left out
 */
export async function copyTree(
  host: Host,
  from: string,
  to: string,
  { still, signal }: CopyOptions,
  but: readonly string[] = [],
): Promise<void> {
  const argv = [...rsync, ...but, '--', `${from}/`, to] as const;
  // What is written or goes meanwhile is told by its status, and is put right by the second round.
  if (still) await host.run(argv, { signal, allowFailure: true });
  const last = () => host.run(argv, { signal }).then(() => undefined);
  await (still ? still(last) : last());
}
