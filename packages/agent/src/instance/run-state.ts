import { mkdir, open, readFile, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InstanceRef, InstanceSpec } from '@lxd-ts/core';
import type { DeviceStart } from '@lxd-ts/devices';
import type { CgroupSetting } from './limits.ts';
import { instancePaths, refOfId } from './paths.ts';

/** How far a device is. */
export interface DeviceState {
  /** What the container got of it; absent: nothing yet. */
  start?: DeviceStart;
  /** `plugging`: cut off, it is taken back; `inside`: it is to be settled yet. */
  phase: 'plugging' | 'inside' | 'settled';
}

export type DeviceStates = Readonly<Record<string, DeviceState>>;

/** What runs: what it was started with and has got since. */
export interface RunState {
  spec: InstanceSpec;
  devices: DeviceStates;
  /** What a reboot starts it with; absent: the same. */
  next?: InstanceSpec;
  /** The directory that it sees as `/dev/lxd`. */
  devlxd?: string;
  /** What its cgroup has been told. */
  limits: readonly CgroupSetting[];
}

/**
 * What each running instance was started with, on this host's own disk: after a crash of the daemon its devices
 * can be released although nobody asks. Written before the first effect of a start, removed after the last of a stop.
 */
export class RunStates {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async write({ spec, ...rest }: Pick<RunState, 'spec'> & Partial<RunState>): Promise<void> {
    const { devices = {}, next, devlxd, limits = [] } = rest;
    const { runState } = instancePaths(this.#dir, spec);
    // The container's own root passes through to its device nodes.
    await mkdir(dirname(runState), { recursive: true, mode: 0o711 });
    const file = await open(`${runState}.new`, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify({ ...spec, started: devices, next, devlxd, limits }));
    } finally {
      await file.close();
    }
    await rename(`${runState}.new`, runState);
  }

  async read(ref: InstanceRef): Promise<InstanceSpec | undefined> {
    return (await this.readAll(ref))?.spec;
  }

  async readAll(ref: InstanceRef): Promise<RunState | undefined> {
    const text = await readFile(instancePaths(this.#dir, ref).runState, 'utf8').catch(() => undefined);
    try {
      if (text === undefined) return undefined;
      const {
        started = {},
        next,
        devlxd,
        limits = [],
        ...spec
      } = JSON.parse(text) as InstanceSpec & {
        started?: DeviceStates;
        next?: InstanceSpec;
        devlxd?: string;
        limits?: CgroupSetting[];
      };
      return {
        spec,
        devices: started,
        limits,
        ...(next ? { next } : {}),
        ...(devlxd === undefined ? {} : { devlxd }),
      };
    } catch {
      return undefined; // cut off by a power failure: nothing was started with it
    }
  }

  async remove(ref: InstanceRef): Promise<void> {
    const { runState, rebooted, devices } = instancePaths(this.#dir, ref);
    await rm(rebooted, { force: true });
    await rm(runState, { force: true });
    await rm(`${runState}.new`, { force: true });
    await rmdir(devices).catch(() => undefined);
  }

  /** What all of them were started with. */
  async specs(): Promise<InstanceSpec[]> {
    const specs = await Promise.all((await this.all()).map((ref) => this.read(ref)));
    return specs.filter((spec) => spec !== undefined);
  }

  async all(): Promise<InstanceRef[]> {
    const names = await readdir(join(this.#dir, 'devices')).catch(() => []);
    return names.map(refOfId);
  }
}
