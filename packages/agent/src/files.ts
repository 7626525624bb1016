import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { LxdError, projectPrefixed, type InstanceRef, type InstanceSpec } from '@lxd-ts/core';
import type { FilesSession } from '@lxd-ts/liblxc';
import type { CallOptions } from '@lxd-ts/rpc';
import { rootPool, type AgentContext } from './context.ts';
import { idmapLines, idmapOf } from './instance/idmap.ts';
import { volumeOf } from './instance/paths.ts';

/** The same promise for whoever asks again. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}

const idOf = (ref: InstanceRef): string => projectPrefixed(ref.project, ref.name);

/** Who is in the files of which instance: a process each, that holds its mounts for as long as it lives. */
export class Files {
  readonly #sessions = new Map<string, Set<Promise<FilesSession>>>();
  /** Until when nobody is let in. */
  readonly #closed = new Map<string, Promise<unknown>>();

  /** @param running what it is now, once somebody may go in */
  async open(
    context: AgentContext,
    spec: InstanceSpec,
    running: () => boolean,
    { signal }: CallOptions,
  ): Promise<Duplex> {
    const id = idOf(spec);
    for (let closed = this.#closed.get(id); closed; closed = this.#closed.get(id)) await closed;
    signal.throwIfAborted();
    const opening = this.#enter(context, spec, running(), signal);
    const sessions = this.#sessions.get(id) ?? new Set();
    this.#sessions.set(id, sessions.add(opening));
    const forget = () => {
      sessions.delete(opening);
      if (sessions.size === 0 && this.#sessions.get(id) === sessions) this.#sessions.delete(id);
    };
    try {
      const session = await opening;
      session.stream.once('close', forget);
      if (session.stream.destroyed) throw new LxdError('unavailable', `Instance "${spec.name}" is changing`);
      return session.stream;
    } catch (error) {
      forget();
      throw error;
    }
  }

  async #enter(
    context: AgentContext,
    spec: InstanceSpec,
    running: boolean,
    signal: AbortSignal,
  ): Promise<FilesSession> {
    if (running) return context.liblxc.files({ name: idOf(spec) }, { signal });
    const pool = await context.pools.open(rootPool(spec), { signal });
    const idmap = idmapOf(spec.config);
    const use = await pool.useVolume(volumeOf(spec), { signal, idmap });
    const done = once(async () => {
      try {
        await use[Symbol.asyncDispose]();
      } catch (error) {
        context.log.warn(`the files of ${spec.name} are still in use`, { error: String(error) });
      }
    });
    try {
      const rootfs = join(use.path, 'rootfs');
      const request = { rootfs, idmap: idmapLines(idmap), mapped: use.mapped };
      const session = await context.liblxc.files(request, { signal });
      const end = async () => {
        await session[Symbol.asyncDispose]();
        await done();
      };
      // Its process has a mount of its own: that goes first.
      session.stream.once('close', () => void end());
      return { stream: session.stream, [Symbol.asyncDispose]: end };
    } catch (error) {
      await done();
      throw error;
    }
  }

  /** Everybody is out on return. */
  async close(ref: InstanceRef): Promise<void> {
    const sessions = [...(this.#sessions.get(idOf(ref)) ?? [])];
    await Promise.allSettled(sessions.map(async (session) => (await session)[Symbol.asyncDispose]()));
  }

  /** Everybody is out while the work is done; who comes waits for its end. */
  async without<T>(ref: InstanceRef, work: () => Promise<T>): Promise<T> {
    const id = idOf(ref);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#closed.set(id, promise);
    try {
      await this.close(ref);
      return await work();
    } finally {
      if (this.#closed.get(id) === promise) this.#closed.delete(id);
      resolve(undefined);
    }
  }

  async closeAll(): Promise<void> {
    const all = [...this.#sessions.values()].flatMap((sessions) => [...sessions]);
    await Promise.allSettled(all.map(async (session) => (await session)[Symbol.asyncDispose]()));
  }
}
