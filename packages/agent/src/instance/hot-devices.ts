import { findKey, LxdError, projectPrefixed, toLxdError, type Config, type InstanceSpec } from '@lxd-ts/core';
import type { DeviceStart, InsideMount } from '@lxd-ts/devices';
import type { AgentContext } from '../context.ts';
import {
  deviceNames,
  openDevice,
  prefixed,
  withVolatile,
  type OpenDevice,
  type Volatile,
} from './devices.ts';
import { plug, plugMount, unplug, unplugMount, type Running } from './plug.ts';
import type { DeviceState, RunState, RunStates } from './run-state.ts';

const undoTimeoutMs = 30_000;

const differing = (a: Config, b: Config): string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => (a[key] ?? '') !== (b[key] ?? ''));

/**
 * The devices of one container that runs. What is done is written down before and after each step, so that whatever
 * cuts it off, the next one knows what to take back and what to finish.
 */
export class HotDevices {
  readonly #context: AgentContext;
  readonly #runStates: RunStates;
  readonly #running: Running;
  readonly #signal: AbortSignal;
  #state: RunState;
  readonly #volatile: Volatile = {};

  constructor(
    context: AgentContext,
    runStates: RunStates,
    running: Running,
    state: RunState,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#runStates = runStates;
    this.#running = running;
    this.#state = state;
    this.#signal = signal;
  }

  /** Of `volatile.*`, for whoever keeps the record. */
  get volatile(): Volatile {
    return this.#volatile;
  }

  #open(name: string): OpenDevice {
    return openDevice(this.#context, this.#state.spec, name);
  }

  async #note(name: string, state: DeviceState | undefined, volatile: Volatile = {}): Promise<void> {
    const devices = { ...this.#state.devices };
    if (state) devices[name] = state;
    else Reflect.deleteProperty(devices, name);
    const changes = prefixed(name, volatile);
    Object.assign(this.#volatile, changes);
    this.#state = { ...this.#state, spec: withVolatile(this.#state.spec, changes), devices };
    await this.#runStates.write(this.#state);
  }

  /** The specification it runs with from now on, but for its devices and what is fixed while it runs. */
  #adopt(spec: InstanceSpec, name: string): void {
    const now = this.#state.spec;
    const devices = { ...now.devices };
    const wanted = spec.devices[name];
    if (wanted) devices[name] = wanted;
    else Reflect.deleteProperty(devices, name);
    const config: Record<string, string> = { ...now.config };
    for (const [key, value] of Object.entries(spec.config))
      if (key.startsWith(`volatile.${name}.`)) config[key] = value;
    this.#state = {
      ...this.#state,
      spec: {
        ...now,
        config,
        devices,
        pools: { ...now.pools, ...spec.pools },
        networks: { ...now.networks, ...spec.networks },
      },
    };
  }

  #others(name: string): InsideMount[] {
    return Object.entries(this.#state.devices)
      .filter(([other]) => other !== name)
      .flatMap(([, { start }]) => start?.mounts ?? []);
  }

  async #plug(name: string, spec: InstanceSpec): Promise<void> {
    this.#adopt(spec, name);
    const { driver, device } = this.#open(name);
    if (!driver.capabilities.hotplug)
      throw new LxdError('invalid', 'Device cannot be added when instance is running');
    await this.#note(name, { phase: 'plugging' });
    try {
      const start = await driver.start(device, { signal: this.#signal });
      await this.#note(name, { start, phase: 'plugging' }, start.volatile);
      await plug(this.#context, this.#running, start, this.#signal);
      await this.#settle(name, start);
    } catch (error) {
      await this.#unplug(name, AbortSignal.timeout(undoTimeoutMs)).catch((failure: unknown) => {
        this.#context.log.warn(`device ${name} of ${spec.name} could not be taken back`, {
          error: String(failure),
        });
      });
      const { code, message } = toLxdError(error);
      throw new LxdError(code, `Failed to start device "${name}": ${message}`, { cause: error });
    }
  }

  async #settle(name: string, start: DeviceStart): Promise<void> {
    const { driver, device } = this.#open(name);
    if (driver.settle) {
      await this.#note(name, { start, phase: 'inside' });
      await driver.settle(device, this.#running, { signal: this.#signal });
    }
    await this.#note(name, { start, phase: 'settled' });
  }

  async #unplug(name: string, signal: AbortSignal): Promise<void> {
    const { driver, device } = this.#open(name);
    const { start } = this.#state.devices[name] ?? {};
    await this.#note(name, { ...(start ? { start } : {}), phase: 'plugging' });
    if (start) await unplug(this.#context, this.#running, start, this.#others(name), signal);
    const volatile = await driver.stop(device, { signal });
    const { spec } = this.#state;
    const devices = { ...spec.devices };
    Reflect.deleteProperty(devices, name);
    this.#state = { ...this.#state, spec: { ...spec, devices } };
    await this.#note(name, undefined, volatile);
  }

  /** What was cut off is taken back; what is inside already is settled. */
  async #finish(): Promise<void> {
    for (const [name, { start, phase }] of Object.entries(this.#state.devices)) {
      if (phase === 'plugging') await this.#unplug(name, this.#signal);
      else if (phase === 'inside' && start) await this.#settle(name, start);
    }
  }

  async settleAll(): Promise<void> {
    for (const [name, { start, phase }] of Object.entries(this.#state.devices))
      if (phase === 'inside' && start) await this.#settle(name, start);
  }

  async #change(name: string, spec: InstanceSpec): Promise<void> {
    const before = this.#state.spec.devices[name] ?? {};
    const after = spec.devices[name] ?? {};
    const { driver } = this.#open(name);
    const keys = differing(before, after);
    if (before['type'] !== after['type'] || keys.some((key) => !findKey(driver.schema, key)?.live)) {
      await this.#unplug(name, this.#signal);
      await this.#plug(name, spec);
      return;
    }
    this.#adopt(spec, name);
    await driver.update?.(this.#open(name).device, before, this.#running, { signal: this.#signal });
    const state = this.#state.devices[name];
    if (state) await this.#note(name, state);
  }

  /** From what it has to what `spec` says. */
  async reach(spec: InstanceSpec): Promise<void> {
    await this.#finish();
    const wanted = deviceNames(spec);
    for (const name of deviceNames(this.#state.spec)) {
      if (wanted.includes(name)) continue;
      const { driver, device } = this.#open(name);
      if (!driver.capabilities.hotplug)
        throw new LxdError('invalid', 'Device cannot be removed when instance is running');
      await this.#unplug(name, this.#signal);
      await driver.remove(device, { signal: this.#signal });
    }
    for (const name of wanted) {
      const now = this.#state.spec.devices[name];
      if (!now) await this.#plug(name, spec);
      else if (differing(now, spec.devices[name] ?? {}).length > 0) await this.#change(name, spec);
    }
  }

  /** Devices that come and go with those of the host. */
  async follow(): Promise<void> {
    for (const [name, state] of Object.entries(this.#state.devices)) {
      const { driver, device } = this.#open(name);
      if (!driver.capabilities.follows || state.phase !== 'settled') continue;
      // One that must be there and is gone stays as it is, and may come back.
      const start = await driver.start(device, { signal: this.#signal }).catch(() => undefined);
      if (start) await this.#exchange(name, state.start?.mounts ?? [], start);
    }
  }

  async #exchange(name: string, before: readonly InsideMount[], start: DeviceStart): Promise<void> {
    const after = start.mounts ?? [];
    const lacks = (list: readonly InsideMount[]) => (one: InsideMount) =>
      !list.some(({ target, rule }) => target === one.target && rule === one.rule);
    const [gone, come] = [before.filter(lacks(after)), after.filter(lacks(before))];
    if (gone.length + come.length === 0) return;
    const others = [...this.#others(name), ...after];
    for (const mount of gone) await unplugMount(this.#context, this.#running, mount, others, this.#signal);
    await this.#note(name, { start, phase: 'settled' });
    for (const mount of come) await plugMount(this.#context, this.#running, mount, this.#signal);
  }
}

/** undefined: it is not known to run. */
export async function openHotDevices(
  context: AgentContext,
  runStates: RunStates,
  spec: Pick<InstanceSpec, 'project' | 'name'>,
  signal: AbortSignal,
): Promise<HotDevices | undefined> {
  const id = projectPrefixed(spec.project, spec.name);
  const [state, pid] = [await runStates.readAll(spec), context.liblxc.initPid(id)];
  return state && pid !== undefined
    ? new HotDevices(context, runStates, { id, pid }, state, signal)
    : undefined;
}
