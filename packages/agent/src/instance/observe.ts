import { setTimeout as sleep } from 'node:timers/promises';
import type { InstanceRef, InstanceStatus } from '@lxd-ts/core';
import type { Liblxc, LxcState } from '@lxd-ts/liblxc';
import type { Observation, ObservedInstance } from '@lxd-ts/rpc';
import { projectPrefixed, toLxdError } from '@lxd-ts/core';
import { refOfId } from './paths.ts';

const statuses: Readonly<Record<LxcState, InstanceStatus>> = {
  STOPPED: 'Stopped',
  STARTING: 'Starting',
  RUNNING: 'Running',
  STOPPING: 'Stopping',
  ABORTING: 'Stopping',
  FREEZING: 'Frozen',
  FROZEN: 'Frozen',
  THAWED: 'Running',
};

/** How long a monitor that is ending may be silent, and how often it is asked again. */
const silentMs = 60_000;
const againMs = 100;

const idOf = (ref: InstanceRef): string => projectPrefixed(ref.project, ref.name);

/** Looks at containers, watches their init, and tells whoever listens. */
export class Observer implements Disposable {
  readonly #liblxc: Liblxc;
  readonly #watches = new Map<string, Disposable>();
  readonly #listeners = new Set<(observation: Observation) => void>();
  readonly #onGone: (ref: InstanceRef) => void;

  /** @param onGone hears when an init has ended, once the container has settled as stopped */
  constructor(liblxc: Liblxc, onGone: (ref: InstanceRef) => void) {
    this.#liblxc = liblxc;
    this.#onGone = onGone;
  }

  look(ref: InstanceRef): ObservedInstance {
    const id = idOf(ref);
    const status = statuses[this.#liblxc.state(id)];
    return { project: ref.project, name: ref.name, status, pid: this.#liblxc.initPid(id) ?? 0 };
  }

  /** Everything alive under this directory, whoever started it. */
  lookAll(): ObservedInstance[] {
    return this.#liblxc
      .active()
      .map((id) => this.look(refOfId(id)))
      .filter(({ status }) => status !== 'Stopped');
  }

  tell(observation: Observation): void {
    for (const listener of this.#listeners) listener(observation);
  }

  /** Watches this init until it ends. */
  watch(ref: InstanceRef): void {
    const id = idOf(ref);
    this.#watches.get(id)?.[Symbol.dispose]();
    this.#watches.set(
      id,
      this.#liblxc.onInitExit(id, () => {
        this.#watches.delete(id);
        void this.#settle(ref);
      }),
    );
  }

  /**
   * An init ends when its container stops; where somebody has had liblxc reboot it, another is there within moments. A
   * monitor that has much to do at the end answers nobody meanwhile.
   */
  async #settle(ref: InstanceRef): Promise<void> {
    let silent = 0;
    for (let waitMs = 5; waitMs < 5_000 && silent < silentMs;) {
      const seen = this.#lookIfAnswered(ref);
      if (seen?.status === 'Stopped') break;
      if (seen?.status === 'Running' && seen.pid > 0) {
        this.watch(ref);
        this.tell({ kind: 'instance', instance: seen, cause: 'reboot' });
        return;
      }
      if (seen) waitMs *= 2;
      else silent += againMs;
      await sleep(seen ? waitMs : againMs);
    }
    this.#onGone(ref);
  }

  /** Undefined: its monitor does not answer. */
  #lookIfAnswered(ref: InstanceRef): ObservedInstance | undefined {
    try {
      return this.look(ref);
    } catch (error) {
      if (toLxdError(error).code === 'unavailable') return undefined;
      throw error;
    }
  }

  /** From now on, the whole picture first. */
  async *observe(signal: AbortSignal): AsyncGenerator<Observation> {
    const queue: Observation[] = [{ kind: 'all', instances: this.lookAll() }];
    let wake = Promise.withResolvers<void>();
    const listener = (observation: Observation) => {
      queue.push(observation);
      wake.resolve();
    };
    const onAbort = () => {
      wake.resolve();
    };
    this.#listeners.add(listener);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!signal.aborted) {
        const next = queue.shift();
        if (next) {
          yield next;
        } else {
          wake = Promise.withResolvers();
          await wake.promise;
        }
      }
    } finally {
      this.#listeners.delete(listener);
      signal.removeEventListener('abort', onAbort);
    }
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches.values()) watch[Symbol.dispose]();
    this.#watches.clear();
  }
}
