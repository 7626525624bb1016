import { mkdir, open, readFile, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InstanceRef, InstanceSpec } from '@lxd-ts/core';
import { instancePaths, refOfId } from './paths.ts';

/**
 * What each running instance was started with, on this host's own disk: after a crash of the daemon its devices
 * can be released although nobody asks. Written before the first effect of a start, removed after the last of a stop.
 */
export class RunStates {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async write(spec: InstanceSpec): Promise<void> {
    const { runState } = instancePaths(this.#dir, spec);
    // The container's own root passes through to its device nodes.
    await mkdir(dirname(runState), { recursive: true, mode: 0o711 });
    const file = await open(`${runState}.new`, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(spec));
    } finally {
      await file.close();
    }
    await rename(`${runState}.new`, runState);
  }

  async read(ref: InstanceRef): Promise<InstanceSpec | undefined> {
    const text = await readFile(instancePaths(this.#dir, ref).runState, 'utf8').catch(() => undefined);
    try {
      return text === undefined ? undefined : (JSON.parse(text) as InstanceSpec);
    } catch {
      return undefined; // cut off by a power failure: nothing was started with it
    }
  }

  async remove(ref: InstanceRef): Promise<void> {
    const { runState, devices } = instancePaths(this.#dir, ref);
    await rm(runState, { force: true });
    await rm(`${runState}.new`, { force: true });
    await rmdir(devices).catch(() => undefined);
  }

  async all(): Promise<InstanceRef[]> {
    const names = await readdir(join(this.#dir, 'devices')).catch(() => []);
    return names.map(refOfId);
  }
}
