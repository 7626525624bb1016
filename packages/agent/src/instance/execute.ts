import { chmod, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isOciConfig, LxdError, Undo, type InstanceSpec } from '@lxd-ts/core';
import type { LxcItem } from '@lxd-ts/liblxc';
import { rootPool, type AgentContext } from '../context.ts';
import { hasDevLxd } from '../devlxd/answer.ts';
import { cpuSetFile } from '../cpu-balancer.ts';
import { prepareApp, type App } from './app.ts';
import { cgroupNames, removeCgroups, removePivot } from './cgroups.ts';
import { startDevices, stopDevices, withVolatile } from './devices.ts';
import { openHotDevices } from './hot-devices.ts';
import { endApp } from './end-app.ts';
import { checkDelegated, idmapOf } from './idmap.ts';
import { closeIntercept, interceptPolicy, openIntercept } from './intercept.ts';
import { limitRoot, wantedSettings } from './limit.ts';
import type { CgroupSetting } from './limits.ts';
import { lxcConfig, lxcConfigText } from './lxc-config.ts';
import { prepareHost } from './prerequisites.ts';
import { instancePaths, volumeOf, type InstancePaths } from './paths.ts';
import type { Step } from './plan.ts';
import type { RunStates } from './run-state.ts';
import { seccompPolicy } from './seccomp.ts';
import { shutDown } from './shut-down.ts';
import { applyTemplates, type Trigger } from '../templates/apply.ts';

/** What the steps of one plan share. */
interface Run {
  context: AgentContext;
  runStates: RunStates;
  spec: InstanceSpec;
  paths: InstancePaths;
  undo: Undo;
  signal: AbortSignal;
  rootfs: string;
  /** Its files show with the host's ids already. */
  mapped: boolean;
  devices: (readonly LxcItem[])[];
  limits: CgroupSetting[];
  /** How it is started where there is no init system. */
  app: App | undefined;
  /** What it was given by a creation, a copy or a renaming is new to it. */
  fresh: boolean;
  /** What it sees as `/dev/lxd`. */
  devlxd: string;
  volatile: Record<string, string | null>;
}

type Executor<S extends Step> = (run: Run, step: S) => Promise<void>;

/** What a creation, a copy or a renaming leaves for the next start. */
const templateKey = 'volatile.apply_template';

const undoTimeoutMs = 15_000;

async function writePrivate(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, text, { mode: 0o600 });
}

/** What its monitor has left behind, or leaves any moment now. */
async function leaveCgroups({ context: { dir, liblxc }, paths }: Run): Promise<void> {
  const { monitor, payload, pivot } = cgroupNames(dir, paths.id);
  await removePivot(pivot, () => liblxc.active().some((id) => id !== paths.id));
  await removeCgroups([monitor, payload]);
}

const executors: { [K in Step['do']]: Executor<Extract<Step, { do: K }>> } = {
  'claim-ids': (run) => {
    const { context, paths, spec } = run;
    run.undo.push(() => context.ids.release(paths.id));
    const changes = context.ids.claim(paths.id, spec.config);
    run.spec = withVolatile(spec, changes);
    for (const [key, value] of Object.entries(changes))
      if (spec.config[key] !== value) run.volatile[key] = value;
    return checkDelegated(idmapOf(run.spec.config), spec.config);
  },

  'open-root': async (run) => {
    const pool = await run.context.pools.open(rootPool(run.spec), { signal: run.signal });
    const volume = volumeOf(run.spec);
    const idmap = idmapOf(run.spec.config);
    run.rootfs = join(pool.volumePath(volume), 'rootfs');
    // Asked only when something is wrong: it may take a program.
    const failed = async (error: unknown): Promise<never> => {
      run.signal.throwIfAborted();
      if (await pool.exists(volume)) throw error;
      throw new LxdError('not-found', `Instance "${run.spec.name}" has no root volume in its storage pool`);
    };
    run.undo.push(() => pool.releaseVolume(volume, { signal: AbortSignal.timeout(undoTimeoutMs) }));
    const held = await pool.holdVolume(volume, idmap, { signal: run.signal }).catch(failed);
    run.mapped = held.mapped;
    // liblxc opens the root as the container's root: that one may pass through, and nobody else.
    const owner = idmap.find((entry) => entry.Isuid && entry.Nsid === 0)?.Hostid ?? 0;
    const volumeDir = dirname(run.rootfs);
    if ((await stat(volumeDir).catch(failed)).uid !== owner)
      await run.context.host.run(['chown', '--', `${owner}:0`, volumeDir], { signal: run.signal });
    await chmod(volumeDir, 0o100);
    await limitRoot(run.context, run.spec, undefined, { signal: run.signal });
  },

  'record-run': async (run) => {
    run.undo.push(() => run.runStates.remove(run.spec));
    await run.runStates.write({ spec: run.spec });
  },

  'apply-templates': async (run) => {
    const { context, spec, rootfs, signal } = run;
    const deferred = spec.config[templateKey];
    run.fresh = Boolean(deferred);
    const triggers = deferred ? [deferred as Trigger, 'start' as const] : ['start' as const];
    await applyTemplates(context, spec, { rootfs, mapped: run.mapped }, triggers, signal);
    if (!deferred) return;
    run.volatile[templateKey] = null;
    run.spec = withVolatile(spec, { [templateKey]: null });
  },

  'open-devlxd': async (run) => {
    const { context, paths, spec } = run;
    // Whoever has no business with it does not find it: the directory above cannot be listed.
    run.devlxd = join(context.dir, 'devlxd', context.randomId() + context.randomId());
    run.undo.push(() => context.devlxd.close(paths.id, run.devlxd));
    await mkdir(run.devlxd, { recursive: true, mode: 0o755 });
    if (!hasDevLxd(spec.config)) return;
    // It runs without, too: the path of a socket cannot be of any length.
    await context.devlxd.open(paths.id, run.devlxd, spec).catch((error: unknown) => {
      context.log.warn(`/dev/lxd of ${spec.name} is not there`, { error: String(error) });
    });
  },

  'start-devices': async (run) => {
    const started = await startDevices(run.context, run.spec, run.undo, run.signal);
    run.devices = started.lxc;
    Object.assign(run.volatile, started.volatile);
    run.limits = await wantedSettings(run.context, run.spec);
    const spec = withVolatile(run.spec, started.volatile);
    await run.runStates.write({
      spec,
      devices: started.states,
      limits: run.limits,
      devlxd: run.devlxd,
    });
  },

  'prepare-app': async (run) => {
    const { context, spec, fresh, signal } = run;
    if (isOciConfig(spec.config)) run.app = await prepareApp(context, run, fresh, signal);
  },

  'write-config': async (run) => {
    const { context, spec, paths } = run;
    await prepareHost(context, spec, run.signal);
    await writePrivate(paths.seccomp, seccompPolicy(spec.config));
    run.undo.push(() => context.cpus.remove(paths.id));
    const cpus = await context.cpus.add(paths.id, spec.config);
    const limits = [...run.limits, ...(cpus === undefined ? [] : [{ file: cpuSetFile, value: cpus }])];
    const items = lxcConfig({
      dir: context.dir,
      spec,
      paths,
      limits,
      devlxd: run.devlxd,
      rootfs: run.rootfs,
      mapped: run.mapped,
      host: context.features,
      cgroups: cgroupNames(context.dir, paths.id),
      devices: run.devices,
      ...(run.app ? { app: run.app.items } : {}),
    });
    await rename(paths.lxcLog, `${paths.lxcLog}.old`).catch(() => undefined);
    await writePrivate(paths.lxcConfig, lxcConfigText(items, spec.config['raw.lxc']));
  },

  'start-init': async (run) => {
    const { dir, liblxc } = run.context;
    if (interceptPolicy(run.spec.config).length > 0) {
      run.undo.push(() => closeIntercept(run.context, run.devlxd));
      await openIntercept(run.context, run.spec, run.devlxd, { signal: run.signal });
    }
    const { monitor, payload } = cgroupNames(dir, run.paths.id);
    await removeCgroups([monitor, payload]);
    run.undo.push(() => leaveCgroups(run));
    run.undo.push(() => liblxc.kill(run.paths.id, { signal: AbortSignal.timeout(undoTimeoutMs) }));
    await liblxc.start(
      {
        name: run.paths.id,
        configFile: run.paths.lxcConfig,
        logFile: run.paths.lxcLog,
        logLevel: 'WARN',
        rebootMark: run.paths.rebooted,
        ...(run.app ? { init: run.app.init, mayEnd: true } : {}),
      },
      { signal: run.signal },
    );
  },

  'settle-devices': async (run) => {
    try {
      const devices = await openHotDevices(run.context, run.runStates, run.spec, run.signal);
      await devices?.settleAll();
      Object.assign(run.volatile, devices?.volatile);
    } catch (error) {
      // An application may have done its work by now, and its devices went with it.
      if (!run.app || run.context.liblxc.initPid(run.paths.id) !== undefined) throw error;
    }
  },

  'shut-down': (run, { timeoutMs }) => {
    const { context, paths, signal } = run;
    return isOciConfig(run.spec.config)
      ? endApp(context.liblxc, paths.id, run.spec.config, timeoutMs, signal)
      : shutDown(context.liblxc, paths.id, timeoutMs, signal);
  },

  kill: (run) => run.context.liblxc.kill(run.paths.id, { signal: run.signal }),

  'release-devices': async (run) => {
    // Who is in its mounts holds what they are of.
    await run.context.files.close(run.spec);
    // What was started is what must be released, whatever the configuration says by now.
    const state = await run.runStates.readAll(run.spec);
    if (state?.devlxd !== undefined) {
      await run.context.devlxd.close(run.paths.id, state.devlxd);
      await closeIntercept(run.context, state.devlxd);
    }
    const spec = state?.spec ?? run.spec;
    Object.assign(run.volatile, await stopDevices(run.context, spec, run.signal));
  },

  'close-root': async ({ context, runStates, spec, signal }) => {
    const started = (await runStates.read(spec)) ?? spec;
    // Its pool may be out of reach: then nothing of it is mounted.
    await context.pools.handle(rootPool(started)).releaseVolume(volumeOf(started), { signal });
  },

  'forget-run': async (run) => {
    await leaveCgroups(run);
    await run.context.cpus.remove(run.paths.id);
    run.context.ids.release(run.paths.id);
    await run.runStates.remove(run.spec);
  },
};

/** Runs the steps in order; a failure takes back those that were done. Returns the changes of `volatile.*`. */
export async function execute(
  context: AgentContext,
  runStates: RunStates,
  spec: InstanceSpec,
  steps: readonly Step[],
  signal: AbortSignal,
): Promise<Record<string, string | null>> {
  await using undo = new Undo((error) => {
    context.log.warn(`taking back a failed step of ${spec.name} failed`, { error: error.message });
  });
  const run: Run = {
    context,
    runStates,
    spec,
    paths: instancePaths(context.dir, spec),
    undo,
    signal,
    rootfs: '',
    mapped: false,
    devices: [],
    limits: [],
    app: undefined,
    fresh: false,
    devlxd: '',
    volatile: {},
  };
  for (const step of steps) {
    signal.throwIfAborted();
    await (executors[step.do] as Executor<Step>)(run, step);
  }
  undo.disarm();
  return run.volatile;
}
