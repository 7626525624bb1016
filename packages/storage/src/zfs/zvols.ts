import { parseSize } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import { cannotShrink } from '../block-file.ts';
import type { VolumeRef, WaitOptions } from '../driver.ts';
import type { BlockStore } from '../store/volume-store.ts';
import { datasetName, snapshotName } from './dataset-names.ts';

/** What it takes of a pool to have zvols in it. */
interface Zvols {
  host: Host;
  /** The name of a dataset, or of a snapshot, with the pool's before it. */
  within(name: string): string;
  property(name: string, dataset: string, options: WaitOptions): Promise<string | undefined>;
  /** As the pool's option has it. */
  blockSize: string | undefined;
}

/** Whatever the version, no block of a new zvol is larger. */
const defaultBlock = 16 * 1024;
/** The kernel does not look for partitions in what others have written. */
const bare = 'volmode=dev';

/** Zvols of content type `block`, sparse; their snapshots have devices of their own. */
export function zvols({ host, within, property, blockSize }: Zvols): BlockStore {
  const run = (argv: readonly [string, ...string[]], { signal }: WaitOptions) => host.run(argv, { signal });
  const rounded = (bytes: number): number => {
    const unit = Math.max(defaultBlock, blockSize ? parseSize(blockSize) : 0);
    return Math.max(1, Math.ceil(bytes / unit)) * unit;
  };
  const size = async (dataset: string, options: WaitOptions): Promise<number> =>
    Number(await property('volsize', dataset, options));
  const named = (volume: VolumeRef, isSnapshot: boolean): string =>
    within(isSnapshot ? snapshotName(volume) : datasetName(volume));
  return {
    make: async (volume, bytes, options) => {
      const block = blockSize ? ['-o', `volblocksize=${parseSize(blockSize)}`] : [];
      const flags = ['-p', '-s', '-o', bare, ...block, '-V', String(rounded(bytes))];
      await run(['zfs', 'create', ...flags, named(volume, false)], options);
    },
    open: async ({ volume, within: isSnapshot }, options) => {
      const { snapshot: _, ...of } = volume;
      // LXD hides them while they are not used.
      const shown = isSnapshot ? [bare, 'snapdev=visible'] : [bare];
      await run(['zfs', 'set', ...shown, named(isSnapshot ? of : volume, false)], options);
      const device = `/dev/zvol/${named(volume, isSnapshot)}`;
      await run(['udevadm', 'wait', '--timeout=30', '--', device], options);
      return device;
    },
    close: () => Promise.resolve(),
    size: ({ volume, within: isSnapshot }, options) => size(named(volume, isSnapshot), options),
    grow: async ({ volume }, bytes, options) => {
      const name = named(volume, false);
      const [is, wanted] = [await size(name, options), rounded(bytes)];
      if (wanted < is) throw cannotShrink();
      if (wanted > is) await run(['zfs', 'set', `volsize=${wanted}`, name], options);
    },
  };
}
