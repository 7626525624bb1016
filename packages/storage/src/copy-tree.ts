import type { Host } from '@lxd-ts/host';
import type { CopyOptions } from './driver.ts';

/**
 * A program by which the directory `to` becomes what `from` is. Times are compared to the nanosecond: what is written twice in
 * a second is not taken for the same.
 * @param but further options of rsync: what is left out
 */
export const mirroring = (
  from: string,
  to: string,
  but: readonly string[] = [],
): readonly [string, ...string[]] => [
  ...(['rsync', '-aHAXS', '--modify-window=-1', '--numeric-ids', '--delete'] as const),
  ...but,
  ...['--', `${from}/`, to],
];

/** `to` becomes what `from` is; what writes to `from` stands still for the last of it only. @param but see `mirroring` */
export async function copyTree(
  host: Host,
  from: string,
  to: string,
  { still, signal }: CopyOptions,
  but: readonly string[] = [],
): Promise<void> {
  const argv = mirroring(from, to, but);
  // What is written or goes meanwhile is told by its status, and is put right by the second round.
  if (still) await host.run(argv, { signal, allowFailure: true });
  const last = () => host.run(argv, { signal }).then(() => undefined);
  await (still ? still(last) : last());
}
