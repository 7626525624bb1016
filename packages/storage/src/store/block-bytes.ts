import type { Host } from '@lxd-ts/host';
import type { StoragePool, VolumeRef, WaitOptions } from '../driver.ts';
import type { BlockStore, StoredVolume } from './volume-store.ts';

type BlockPool = Pick<StoragePool, 'useVolume' | 'createBlock'>;

/** What is in block volumes, as bytes. */
export class BlockBytes {
  readonly #host: Host;
  readonly #pool: BlockPool;

  constructor(host: Host, pool: BlockPool) {
    this.#host = host;
    this.#pool = pool;
  }

  /** @param image a device or a file, as large at least */
  async copy(from: VolumeRef, image: string, { signal }: WaitOptions): Promise<void> {
    await using source = await this.#pool.useVolume(from, { signal, readonly: true });
    const how = ['bs=4M', 'conv=notrunc,fsync', 'status=none'];
    await this.#host.run(['dd', `if=${source.image ?? ''}`, `of=${image}`, ...how], { signal });
  }

  /** Another one, as large and with the same bytes. */
  async createAs(blocks: BlockStore, from: StoredVolume, to: VolumeRef, options: WaitOptions): Promise<void> {
    const bytes = await blocks.size(from, options);
    await this.#pool.createBlock(to, bytes, (image) => this.copy(from.volume, image, options), options);
  }

  /** In place; what is larger stays so, with zeros at its end. */
  async rewrite(
    blocks: BlockStore,
    from: StoredVolume,
    to: StoredVolume,
    options: WaitOptions,
  ): Promise<void> {
    const [bytes, is] = [await blocks.size(from, options), await blocks.size(to, options)];
    if (bytes > is) await blocks.grow(to, bytes, options);
    await using use = await this.#pool.useVolume(to.volume, options);
    const { image = '' } = use;
    await this.copy(from.volume, image, options);
    const rest = ['--zeroout', '--offset', String(bytes), '--', image];
    if (bytes < is) await this.#host.run(['blkdiscard', ...rest], { signal: options.signal });
  }
}
