import { lstat } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IdmapEntry } from '@lxd-ts/core';
import type { ExecResult, Host } from '@lxd-ts/host';

/** `run`: as it is run; `write`: to change files; `read`: only seen, whoever else has the same layers mounted. */
export type Seen = 'run' | 'write' | 'read';

interface Wait {
  signal: AbortSignal;
}

/** Where anything is mounted, in a pool. */
const ours = /^(containers\/[^/]+\/rootfs|layers\/.+)$/;
const pollMs = 2;
const busyMs = 50;
const maxBusy = 40;

/** `u 0 1000000 65536` and so on. */
const ranges = (idmap: readonly IdmapEntry[]): string[] =>
  idmap.flatMap(({ Isuid, Isgid, Nsid, Hostid, Maprange }) => {
    const range = `${Nsid} ${Hostid} ${Maprange}`;
    return [...(Isuid ? [`u ${range}`] : []), ...(Isgid ? [`g ${range}`] : [])];
  });

const deviceOf = (path: string): Promise<number | undefined> =>
  lstat(path).then(
    ({ dev }) => dev,
    () => undefined,
  );

/** A filesystem of its own is on this directory. */
const isMountPoint = async (path: string): Promise<boolean> => {
  const [own, parent] = await Promise.all([deviceOf(path), deviceOf(dirname(path))]);
  return own !== undefined && own !== parent;
};

/** The mounts of a pool of layers, made by a program of our own: mount(8) cannot map the owners of layers. */
export class Layers {
  readonly #host: Host;
  readonly #program: string;
  readonly #pool: string;

  constructor(host: Host, program: string, pool: string) {
    this.#host = host;
    this.#program = program;
    this.#pool = pool;
  }

  /**
   * @param how and with which owners they are seen
   * @param lower in the pool, as is `layer`, which holds `upper` and `work`
   */
  async mount(
    [how, idmap]: readonly [Seen, readonly IdmapEntry[]],
    { lower, layer, target }: { lower: string; layer: string; target: string },
    { signal }: Wait,
  ): Promise<void> {
    const within = [lower, layer].map((path) => relative(this.#pool, path));
    const argv = [this.#program, how, this.#pool, ...within, target, ...ranges(idmap)] as const;
    await this.#host.run(argv, { signal });
  }

  /** Runs a program that sees what is beneath everything mounted in the pool. */
  beneath(
    argv: readonly [string, ...string[]],
    options: Wait & { allowFailure?: boolean; input?: string },
  ): Promise<ExecResult> {
    return this.#host.run([this.#program, 'beneath', this.#pool, ...argv], options);
  }

  /**
   * Nothing there: nothing done. Whoever ends just now is waited for; not that what was written is on disk, which the kernel
   * sees to once it is gone from there, and which takes as long as the filesystem below has to write.
   */
  async unmount(target: string, { signal }: Wait): Promise<void> {
    for (let tries = 0; await isMountPoint(target); tries++) {
      const lazy = tries >= maxBusy ? ['--lazy'] : [];
      const argv = ['umount', ...lazy, '--', target] as const;
      const ended = this.#host.run(argv, { signal, allowFailure: true }).then(
        ({ status }) => status === 0,
        () => false,
      );
      let isOver: boolean | undefined;
      while (isOver === undefined && (await isMountPoint(target)))
        isOver = await Promise.race([ended, sleep(pollMs, undefined)]);
      if (isOver === false) await sleep(busyMs, undefined, { signal });
    }
  }

  /** Targets of what has been mounted for the pool, inner ones first; not what somebody else has mounted in a volume. */
  async mounted(): Promise<string[]> {
    const all = (await this.#host.mounts()).map(({ target }) => target);
    return all.filter((target) => ours.test(relative(this.#pool, target))).reverse();
  }
}
