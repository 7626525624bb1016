import { LxdError, type Config } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import type { WaitOptions } from '../driver.ts';
import type { Mounted } from './volume-store.ts';

const GiB = 1024 ** 3;
/** Of a volume on a block device that nobody has said a size of, as LXD has it. */
export const defaultVolumeSize = 10 * GiB;

export const filesystemOf = (config: Config): string => config['volume.block.filesystem'] || 'ext4';

/** What makes an empty filesystem. @param zeroed the device reads zeros wherever nothing has been written */
export function mkfs(type: string, device: string, zeroed: boolean): readonly [string, ...string[]] {
  switch (type) {
    case 'xfs':
      return ['mkfs.xfs', '-q', '-K', device];
    case 'btrfs':
      return ['mkfs.btrfs', '-q', '-K', device];
    default: {
      // Else the kernel would write the tables later, in each clone anew.
      const tables = zeroed ? 'assume_storage_prezeroed=1' : 'lazy_itable_init=0,lazy_journal_init=0';
      return ['mkfs.ext4', '-q', '-E', `nodiscard,${tables}`, device];
    }
  }
}

/** A filesystem on a device of its own: what a logical volume and an image of Ceph have in common. */
export class BlockFilesystem {
  readonly #host: Host;
  readonly #config: Config;

  constructor(host: Host, config: Config) {
    this.#host = host;
    this.#config = config;
  }

  async make(device: string, zeroed: boolean, { signal }: WaitOptions): Promise<void> {
    await this.#host.run(mkfs(filesystemOf(this.#config), device, zeroed), { signal });
  }

  async #typeOf(device: string, signal: AbortSignal): Promise<string> {
    // Without its cache, which knows what was there before.
    const argv = ['blkid', '-p', '-o', 'value', '-s', 'TYPE', '--', device] as const;
    const { stdout } = await this.#host.run(argv, { signal, allowFailure: true });
    return stdout.trim();
  }

  /** @param still the device cannot be written to: the journal is left as it is */
  async mount(
    device: string,
    target: string,
    { readonly = false, still = false }: { readonly?: boolean; still?: boolean },
    { signal }: WaitOptions,
  ): Promise<void> {
    const fsType = await this.#typeOf(device, signal);
    const own = (this.#config['volume.block.mount_options'] || 'discard').split(',').filter(Boolean);
    const options = [
      ...own,
      ...(readonly ? ['ro'] : []),
      // Clones have the same id; they are mounted beside what they are of.
      ...(fsType === 'xfs' ? ['nouuid'] : []),
      ...(still
        ? [fsType === 'ext4' ? 'noload' : fsType === 'xfs' ? 'norecovery' : 'rescue=nologreplay']
        : []),
    ];
    await this.#host.mount({ source: device, target, ...(fsType ? { fsType } : {}), options }, { signal });
  }

  /** The kernel takes two btrfs of one id for the same. */
  async renewId(device: string, { signal }: WaitOptions): Promise<void> {
    if ((await this.#typeOf(device, signal)) === 'btrfs')
      await this.#host.run(['btrfstune', '-f', '-u', device], { signal });
  }

  /** To the end of its device, while it is mounted. */
  async #grow(device: string, path: string, signal: AbortSignal): Promise<void> {
    const type = await this.#typeOf(device, signal);
    const argv: readonly [string, ...string[]] =
      type === 'xfs'
        ? ['xfs_growfs', path]
        : type === 'btrfs'
          ? ['btrfs', 'filesystem', 'resize', 'max', path]
          : ['resize2fs', device];
    await this.#host.run(argv, { signal });
  }

  /** To what is left of its device, before it is. */
  async #shrink(device: string, bytes: number, use: Mounted, signal: AbortSignal): Promise<void> {
    const type = await this.#typeOf(device, signal);
    if (type === 'btrfs') {
      await use.during(async (path) => {
        await this.#host.run(['btrfs', 'filesystem', 'resize', String(bytes), path], { signal });
      });
      return;
    }
    if (type !== 'ext4')
      throw new LxdError('invalid', `A volume with the filesystem "${type}" cannot be made smaller`);
    if (use.inUse)
      throw new LxdError('conflict', 'A volume that is in use cannot be made smaller: stop what uses it');
    // 1: what it found is mended.
    const checked = await this.#host.run(['e2fsck', '-f', '-p', device], { signal, allowFailure: true });
    if (checked.status > 1)
      throw new LxdError('internal', `The filesystem of the volume is damaged: ${checked.stdout.trim()}`);
    await this.#host.run(['resize2fs', device, `${Math.floor(bytes / 1024)}K`], { signal });
  }

  /**
   * Device and filesystem get another size. Cut off, the same call finishes it: the device is never smaller than what is on it.
   * @param active has the device there while nothing is mounted
   */
  async resize(
    size: { is: number; wanted: number },
    device: {
      path: () => Promise<string>;
      active: <T>(work: (path: string) => Promise<T>) => Promise<T>;
      resize: (bytes: number) => Promise<void>;
    },
    use: Mounted,
    { signal }: WaitOptions,
  ): Promise<void> {
    const { is, wanted } = size;
    if (wanted < is) {
      await device.active((path) => this.#shrink(path, wanted, use, signal));
      await device.resize(wanted);
      return;
    }
    if (wanted > is) await device.resize(wanted);
    await use.during(async (path) => this.#grow(await device.path(), path, signal));
  }
}
