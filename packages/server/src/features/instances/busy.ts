import { LxdError } from '@lxd-ts/core';
import type { Pending } from '@lxd-ts/state';

/** What LXD calls the things that cannot happen to one instance at the same time. */
export type Action = 'start' | 'stop' | 'restart' | Pending['kind'];

/** One change at a time per instance, by this server. */
export class Busy {
  readonly #running = new Map<string, { action: Action; done: Promise<undefined> }>();

  static #key = (project: string, name: string): string => `${project}/${name}`;

  /** What is going on, if anything. */
  action(project: string, name: string): Action | undefined {
    return this.#running.get(Busy.#key(project, name))?.action;
  }

  /**
   * Refuses when another change is going on.
   * @param prefix as LXD begins its sentence
   * @throws LxdError `invalid`
   */
  async run<T>(
    ref: { project: string; name: string },
    action: Action,
    prefix: string,
    work: () => Promise<T>,
  ): Promise<T> {
    const running = this.action(ref.project, ref.name);
    if (running) throw new LxdError('invalid', `${prefix}Instance is busy running a "${running}" operation`);
    return this.#enter(Busy.#key(ref.project, ref.name), action, work);
  }

  /** Waits its turn. */
  async queue<T>(ref: { project: string; name: string }, action: Action, work: () => Promise<T>): Promise<T> {
    const key = Busy.#key(ref.project, ref.name);
    for (let running = this.#running.get(key); running; running = this.#running.get(key)) await running.done;
    return this.#enter(key, action, work);
  }

  async #enter<T>(key: string, action: Action, work: () => Promise<T>): Promise<T> {
    const { promise: done, resolve } = Promise.withResolvers<undefined>();
    this.#running.set(key, { action, done });
    try {
      return await work();
    } finally {
      this.#running.delete(key);
      resolve(undefined);
    }
  }
}
