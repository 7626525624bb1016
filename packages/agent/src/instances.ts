import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LxdError, projectPrefixed, type InstanceRef, type InstanceSpec } from '@lxd-ts/core';
import type { CallOptions, CopySource, InstanceSource, Observation, Outcome, StopRequest } from '@lxd-ts/rpc';
import type { VolumeRef } from '@lxd-ts/storage';
import { rootPool, type AgentContext } from './context.ts';
import { hasDevLxd } from './devlxd/answer.ts';
import { closeIntercept, keepIntercept } from './instance/intercept.ts';
import { limitRoot, wantedSettings } from './instance/limit.ts';
import { applySettings } from './instance/limits.ts';
import { checkAdded, deviceNames, openDevice, removeDevices, withVolatile } from './instance/devices.ts';
import { execute } from './instance/execute.ts';
import { openHotDevices } from './instance/hot-devices.ts';
import { prepareHost } from './instance/prerequisites.ts';
import { Observer } from './instance/observe.ts';
import { instancePaths, volumeOf } from './instance/paths.ts';
import { isUp, planStart, planStop, type Observed } from './instance/plan.ts';
import { RunStates } from './instance/run-state.ts';
import {
  copyInstance,
  createSnapshot,
  deleteSnapshot,
  settleSnapshots,
  linkSnapshots,
  renameSnapshot,
  restoreSnapshot,
} from './instance/snapshots.ts';
import { moveOn, standStill } from './instance/still.ts';
import { createVolume, deleteVolume, rebuildVolume, renameVolume } from './instance/volume.ts';
import { KeyedLock } from './keyed-lock.ts';
import type { StillFiles } from './backup/write-backup.ts';
import { hasSubvolumes } from './migration/places.ts';

const adoptTimeoutMs = 10_000;
const settleTimeoutMs = 30_000;
const restartTimeoutMs = 60_000;
const cleanupTimeoutMs = 120_000;
const nothing: Outcome = { volatile: {} };

const goneFrom = (before: InstanceSpec, after: InstanceSpec): string[] =>
  deviceNames(before).filter((name) => after.devices[name]?.['type'] !== before.devices[name]?.['type']);

const withDevices = (spec: InstanceSpec, names: readonly string[]): InstanceSpec => ({
  ...spec,
  devices: Object.fromEntries(Object.entries(spec.devices).filter(([name]) => names.includes(name))),
});

/** The life of instances on this member. One thing at a time per instance. */
export class Instances implements Disposable {
  readonly #context: AgentContext;
  readonly #lock = new KeyedLock();
  readonly #runStates: RunStates;
  readonly #observer: Observer;
  #following = false;
  #deviceWatch: Disposable | undefined;

  constructor(context: AgentContext) {
    this.#context = context;
    this.#runStates = new RunStates(context.dir);
    this.#observer = new Observer(context.liblxc, (ref) => void this.#gone(ref));
  }

  #locked<T>(ref: InstanceRef, work: () => Promise<T>): Promise<T> {
    return this.#lock.run(projectPrefixed(ref.project, ref.name), work);
  }

  /** With nobody in its files: they become others, or are seen through other mounts. */
  #alone<T>(ref: InstanceRef, work: () => Promise<T>): Promise<T> {
    return this.#locked(ref, () => this.#context.files.without(ref, work));
  }

  async #look(ref: InstanceRef): Promise<Observed> {
    const { status } = this.#observer.look(ref);
    return { status, runState: (await this.#runStates.read(ref)) !== undefined };
  }

  #tell(ref: InstanceRef, cause?: 'shutdown' | 'started' | 'reboot', volatile?: Outcome['volatile']): void {
    const instance = this.#observer.look(ref);
    this.#observer.tell({
      kind: 'instance',
      instance,
      ...(cause ? { cause } : {}),
      ...(volatile ? { volatile } : {}),
    });
  }

  /** An init ended. When nobody asked, what it held is released here; one that reboots is started again. */
  async #gone(ref: InstanceRef): Promise<void> {
    try {
      await this.#locked(ref, async () => {
        const observed = await this.#look(ref);
        if (isUp(observed)) return;
        const state = await this.#runStates.readAll(ref);
        if (!state) {
          this.#tell(ref);
          return;
        }
        const again = existsSync(instancePaths(this.#context.dir, ref).rebooted);
        const signal = AbortSignal.timeout(settleTimeoutMs);
        const all = planStop(observed, { force: true, timeoutMs: 0 });
        // Until it runs again it is on record that it should.
        const steps = again ? all.filter((step) => step.do !== 'forget-run') : all;
        const volatile = await execute(this.#context, this.#runStates, state.spec, steps, signal);
        if (again) await this.#startAgain(state.next ?? state.spec, volatile);
        else this.#tell(ref, 'shutdown');
      });
    } catch (error) {
      this.#context.log.error(`releasing what ${ref.name} held failed`, { error: String(error) });
    }
  }

  /** After a reboot from inside, with what has been configured since. */
  async #startAgain(spec: InstanceSpec, stopped: Outcome['volatile']): Promise<void> {
    try {
      const steps = planStart({ status: 'Stopped', runState: false });
      const signal = AbortSignal.timeout(restartTimeoutMs);
      const started = await this.#context.files.without(spec, () =>
        execute(this.#context, this.#runStates, withVolatile(spec, stopped), steps, signal),
      );
      await rm(instancePaths(this.#context.dir, spec).rebooted, { force: true });
      this.#observer.watch(spec);
      this.#tell(spec, 'reboot', { ...stopped, ...started });
    } catch (error) {
      this.#context.log.error(`${spec.name} did not start again after a reboot`, { error: String(error) });
      this.#tell(spec, 'shutdown');
    }
  }

  /** What a start that was cut off has left of its `/dev/lxd`; before anything is started. */
  async sweep(): Promise<void> {
    const dir = join(this.#context.dir, 'devlxd');
    const sockets = join(this.#context.dir, 'syscalls');
    const names = await readdir(dir).catch(() => []);
    const intercepted = await readdir(sockets).catch(() => []);
    if (names.length + intercepted.length === 0) return;
    const states = await Promise.all(
      (await this.#runStates.all()).map((ref) => this.#runStates.readAll(ref)),
    );
    const used = new Set(states.map((state) => state?.devlxd));
    for (const path of names.map((name) => join(dir, name)))
      if (!used.has(path)) await rm(path, { recursive: true, force: true });
    // Of one that was cut off there may be the one file without the other.
    for (const name of new Set(intercepted.map((one) => basename(one, '.pid'))))
      if (!used.has(join(dir, name))) await closeIntercept(this.#context, name);
  }

  /** After a start of the daemon: running ones are watched again, what a crash left of others is released. */
  async adopt(): Promise<void> {
    for (const instance of this.#observer.lookAll()) {
      const stands = existsSync(instancePaths(this.#context.dir, instance).still);
      if (stands) await this.#locked(instance, () => moveOn(this.#context, instance));
      const state = await this.#runStates.readAll(instance);
      if (state) {
        const { spec, next = spec, devlxd } = state;
        const id = projectPrefixed(spec.project, spec.name);
        if (devlxd !== undefined)
          await keepIntercept(this.#context, spec, devlxd, AbortSignal.timeout(adoptTimeoutMs)).catch(
            (error: unknown) => {
              this.#context.log.warn(`system calls of ${id} are not answered`, { error: String(error) });
            },
          );
        this.#context.ids.adopt(id, spec.config);
        await this.#showItself(id, devlxd, next).catch((error: unknown) => {
          this.#context.log.warn(`/dev/lxd of ${id} is not there`, { error: String(error) });
        });
      }
      this.#observer.watch(instance);
    }
    for (const ref of await this.#runStates.all()) {
      if (!isUp(this.#observer.look(ref))) await this.#gone(ref);
    }
  }

  create(spec: InstanceSpec, source: InstanceSource, options: CallOptions): Promise<Outcome> {
    return this.#locked(spec, async () => {
      const still = source.type === 'copy' && this.#still(source.source, options.signal);
      await createVolume(this.#context, spec, source, { ...options, ...(still ? { still } : {}) });
      return nothing;
    });
  }

  /** How to have it stand still while it runs; false when it does by itself. */
  #still(ref: InstanceRef, signal: AbortSignal): false | ((work: () => Promise<void>) => Promise<void>) {
    const { status } = this.#observer.look(ref);
    return status === 'Running' && ((work) => standStill(this.#context, ref, signal, work));
  }

  async #checkStopped(spec: InstanceSpec): Promise<void> {
    if (isUp(await this.#look(spec))) throw new LxdError('invalid', `Instance "${spec.name}" is running`);
  }

  createSnapshot(spec: InstanceSpec, snapshot: string, options: CallOptions): Promise<void> {
    return this.#locked(spec, async () => {
      const still = this.#still(spec, options.signal);
      await createSnapshot(this.#context, spec, snapshot, { ...options, ...(still ? { still } : {}) });
    });
  }

  renameSnapshot(spec: InstanceSpec, from: string, to: string, options: CallOptions): Promise<void> {
    return this.#locked(spec, () => renameSnapshot(this.#context, spec, [from, to], options));
  }

  deleteSnapshot(spec: InstanceSpec, snapshot: string, options: CallOptions): Promise<void> {
    return this.#locked(spec, () => deleteSnapshot(this.#context, spec, snapshot, options));
  }

  settleSnapshots(spec: InstanceSpec, known: readonly string[], options: CallOptions): Promise<string[]> {
    return this.#locked(spec, () => settleSnapshots(this.#context, spec, known, options));
  }

  restoreSnapshot(spec: InstanceSpec, snapshot: string, options: CallOptions): Promise<void> {
    return this.#alone(spec, async () => {
      await this.#checkStopped(spec);
      await restoreSnapshot(this.#context, spec, snapshot, options);
    });
  }

  rebuild(
    spec: InstanceSpec,
    source: Extract<InstanceSource, { type: 'image' | 'none' }>,
    options: CallOptions,
  ): Promise<void> {
    return this.#alone(spec, async () => {
      await this.#checkStopped(spec);
      await rebuildVolume(this.#context, spec, source, options);
    });
  }

  refresh(spec: InstanceSpec, source: CopySource, options: CallOptions): Promise<void> {
    return this.#alone(spec, async () => {
      await this.#checkStopped(spec);
      const still = this.#still(source.source, options.signal);
      await copyInstance(this.#context, spec, source, { ...options, ...(still ? { still } : {}) });
      const pool = await this.#context.pools.open(rootPool(spec), options);
      await linkSnapshots(this.#context, pool, spec);
    });
  }

  /**
   * Its files as they are at one moment: a copy, which goes afterwards, or itself where it does not run and a copy would
   * be written out in full.
   */
  async withStillFiles<T>(
    spec: InstanceSpec,
    options: CallOptions,
    work: (files: StillFiles) => Promise<T>,
  ): Promise<T> {
    const poolSpec = rootPool(spec);
    const pool = await this.#context.pools.open(poolSpec, options);
    // A crash's is removed when the pool is mounted, by its name.
    const name = `.partial-copy-${this.#context.randomId()}`;
    const copy: VolumeRef = { type: 'container', project: 'default', name };
    const inPlace = await this.#locked(spec, async () => {
      const still = this.#still(spec, options.signal);
      if (!still && !hasSubvolumes(poolSpec)) {
        await using use = await pool.useVolume(volumeOf(spec), { signal: options.signal, readonly: true });
        return { done: await work({ path: use.path, own: false }) };
      }
      await pool.copyVolume(volumeOf(spec), copy, { ...options, ...(still ? { still } : {}) });
      return undefined;
    });
    if (inPlace) return inPlace.done;
    try {
      await using use = await pool.useVolume(copy, { signal: options.signal });
      return await work({ path: use.path, own: true });
    } finally {
      await pool.deleteVolume(copy, { signal: AbortSignal.timeout(cleanupTimeoutMs) });
    }
  }

  /** The files of a snapshot, or its own while it is at rest and stays so. */
  async withFiles<T>(
    spec: InstanceSpec,
    snapshot: string | undefined,
    options: CallOptions,
    work: (path: string) => Promise<T>,
  ): Promise<T> {
    const pool = await this.#context.pools.open(rootPool(spec), options);
    const within = async (volume: VolumeRef) => {
      await using use = await pool.useVolume(volume, { signal: options.signal, readonly: true });
      return await work(use.path);
    };
    const volume = volumeOf(spec);
    if (snapshot !== undefined) return within({ ...volume, snapshot });
    return this.#locked(spec, async () => {
      await this.#checkStopped(spec);
      return within(volume);
    });
  }

  /** With nothing else being done to it. */
  atRest<T>(ref: InstanceRef, work: () => Promise<T>): Promise<T> {
    return this.#locked(ref, work);
  }

  deleteRoot(spec: InstanceSpec, options: CallOptions): Promise<void> {
    return this.#alone(spec, async () => {
      await this.#checkStopped(spec);
      const pool = await this.#context.pools.open(rootPool(spec), options);
      await pool.deleteVolume(volumeOf(spec), options);
    });
  }

  delete(spec: InstanceSpec, options: CallOptions): Promise<void> {
    return this.#alone(spec, async () => {
      const observed = await this.#look(spec);
      if (isUp(observed)) throw new LxdError('invalid', `Instance "${spec.name}" is running`);
      await execute(
        this.#context,
        this.#runStates,
        spec,
        planStop(observed, { force: true, timeoutMs: 0 }),
        options.signal,
      );
      await removeDevices(this.#context, spec, options.signal);
      await deleteVolume(this.#context, spec, options);
      const { logs, seccomp, devices } = instancePaths(this.#context.dir, spec);
      for (const path of [logs, seccomp, devices]) await rm(path, { recursive: true, force: true });
    });
  }

  rename(spec: InstanceSpec, newName: string, options: CallOptions): Promise<void> {
    return this.#alone(spec, async () => {
      await this.#checkStopped(spec);
      await removeDevices(this.#context, spec, options.signal);
      await renameVolume(this.#context, spec, newName, options);
      const { logs, seccomp } = instancePaths(this.#context.dir, spec);
      for (const path of [logs, seccomp]) await rm(path, { recursive: true, force: true });
    });
  }

  /** Limits change at once; the rest holds from the next start. */
  update(before: InstanceSpec, after: InstanceSpec, options: CallOptions): Promise<Outcome> {
    return this.#locked(after, async () => {
      if (isUp(await this.#look(after))) await prepareHost(this.#context, after, options.signal);
      await this.#limit(after);
      try {
        await limitRoot(this.#context, after, before, options);
        return { volatile: await this.#changeDevices(before, after, options.signal) };
      } catch (error) {
        await this.#limit(before).catch((failure: unknown) => {
          this.#context.log.warn(`limits of ${after.name} could not be put back`, { error: String(failure) });
        });
        const again = { signal: AbortSignal.timeout(settleTimeoutMs) };
        await limitRoot(this.#context, before, after, again).catch(() => undefined);
        throw error;
      }
    });
  }

  /** Devices come and go while it runs; where it does not, what would outlive them goes. */
  async #changeDevices(
    before: InstanceSpec,
    after: InstanceSpec,
    signal: AbortSignal,
  ): Promise<Outcome['volatile']> {
    const devices = await openHotDevices(this.#context, this.#runStates, after, signal);
    if (!devices) {
      await checkAdded(this.#context, after, goneFrom(after, before));
      await removeDevices(this.#context, withDevices(before, goneFrom(before, after)), signal);
      return {};
    }
    try {
      await devices.reach(after);
    } catch (error) {
      const again = AbortSignal.timeout(settleTimeoutMs);
      const back = await openHotDevices(this.#context, this.#runStates, before, again);
      await back?.reach(before).catch((failure: unknown) => {
        this.#context.log.warn(`devices of ${after.name} could not be put back`, { error: String(failure) });
      });
      throw error;
    }
    this.#watchDevices();
    return devices.volatile;
  }

  /** From now on devices of instances come and go with those of the host. */
  followDevices(): void {
    this.#following = true;
    this.#watchDevices();
  }

  /** Watches while anything that runs may gain or lose a device by itself. */
  #watchDevices(): void {
    if (!this.#following || this.#deviceWatch) return;
    void (async () => {
      const states = await Promise.all((await this.#runStates.all()).map((ref) => this.#runStates.read(ref)));
      const follows = states.some(
        (spec) =>
          spec &&
          deviceNames(spec).some((name) => openDevice(this.#context, spec, name).driver.capabilities.follows),
      );
      if (!follows || this.#deviceWatch || !this.#following) return;
      const { liblxc, devDir } = this.#context;
      this.#deviceWatch = liblxc.watchDevices(devDir, () => void this.#follow());
      // What came or went before.
      await this.#follow();
    })();
  }

  async #follow(): Promise<void> {
    for (const ref of await this.#runStates.all()) {
      try {
        await this.#locked(ref, async () => {
          const signal = AbortSignal.timeout(settleTimeoutMs);
          await (await openHotDevices(this.#context, this.#runStates, ref, signal))?.follow();
        });
      } catch (error) {
        this.#context.log.warn(`devices of ${ref.name} could not follow the host's`, {
          error: String(error),
        });
      }
    }
  }

  /** What runs gets the limits that it should have. @param all also those that it seems to have already */
  async #limit(spec: InstanceSpec, all = false): Promise<void> {
    const state = await this.#runStates.readAll(spec);
    if (!state || !isUp(await this.#look(spec))) return;
    const { liblxc, cpus } = this.#context;
    const id = projectPrefixed(spec.project, spec.name);
    const limits = await wantedSettings(this.#context, spec);
    applySettings(liblxc, id, [state.limits, limits], all);
    await cpus.change(id, spec.config);
    await this.#runStates.write({ ...state, next: spec, limits });
    await this.#showItself(id, state.devlxd, spec);
  }

  /** What it is told of itself, or that it is told nothing any more. */
  async #showItself(id: string, directory: string | undefined, spec: InstanceSpec): Promise<void> {
    const { devlxd } = this.#context;
    if (directory === undefined) return;
    if (!hasDevLxd(spec.config)) await devlxd.end(id);
    else if (devlxd.isOpen(id)) devlxd.update(id, spec);
    else await devlxd.open(id, directory, spec);
  }

  /** What runs gets the limits and devices that it should have by now, whatever it had. */
  catchUp(spec: InstanceSpec): Promise<void> {
    return this.#locked(spec, async () => {
      await this.#limit(spec, true);
      const signal = AbortSignal.timeout(settleTimeoutMs);
      await (await openHotDevices(this.#context, this.#runStates, spec, signal))?.reach(spec);
    });
  }

  start(spec: InstanceSpec, options: CallOptions): Promise<Outcome> {
    return this.#locked(spec, async () => {
      const observed = await this.#look(spec);
      const begin = () => execute(this.#context, this.#runStates, spec, planStart(observed), options.signal);
      const volatile = isUp(observed) ? await begin() : await this.#context.files.without(spec, begin);
      this.#observer.watch(spec);
      this.#tell(spec, 'started');
      return { volatile };
    });
  }

  stop(spec: InstanceSpec, stop: StopRequest, options: CallOptions): Promise<Outcome> {
    return this.#locked(spec, async () => {
      const steps = planStop(await this.#look(spec), stop);
      const volatile = await execute(this.#context, this.#runStates, spec, steps, options.signal);
      this.#tell(spec);
      return { volatile };
    });
  }

  async freeze(spec: InstanceSpec, options: CallOptions): Promise<void> {
    await this.#locked(spec, async () => {
      await this.#context.liblxc.freeze(projectPrefixed(spec.project, spec.name), options);
      this.#tell(spec);
    });
  }

  async unfreeze(spec: InstanceSpec, options: CallOptions): Promise<void> {
    await this.#locked(spec, async () => {
      await this.#context.liblxc.unfreeze(projectPrefixed(spec.project, spec.name), options);
      this.#tell(spec);
    });
  }

  look(ref: InstanceRef): ReturnType<Observer['look']> {
    return this.#observer.look(ref);
  }

  observe(options: CallOptions): AsyncIterable<Observation> {
    return this.#observer.observe(options.signal);
  }

  [Symbol.dispose](): void {
    this.#following = false;
    this.#deviceWatch?.[Symbol.dispose]();
    this.#observer[Symbol.dispose]();
  }
}
