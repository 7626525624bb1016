import { setTimeout as sleep } from 'node:timers/promises';
import { isFalse, isTrue, toLxdError, type Config } from '@lxd-ts/core';
import type { InstanceRecord } from '@lxd-ts/state';
import { isUp, statusOf, type InstancesContext } from './context.ts';
import { expandIn } from './expand.ts';
import { changeState } from './state-change.ts';

interface Candidate {
  record: InstanceRecord;
  config: Config;
}

function on({ services, placer }: InstancesContext, member: string): Candidate[] {
  return placer.loads
    .heldBy(member)
    .flatMap(([project, name]) => services.records.get('instances', project, name)?.value ?? [])
    .filter(({ pending }) => !pending)
    .map((record) => ({ record, config: expandIn(services, record.project, record).config }));
}

const number = (config: Config, key: string, otherwise = 0): number => Number(config[key] ?? otherwise) || 0;

const shouldStart = (config: Config): boolean => {
  const autostart = config['boot.autostart'];
  if (isTrue(autostart)) return true;
  return !isFalse(autostart) && config['volatile.last_state.power'] === 'RUNNING';
};

/** After the member (or its daemon) came up: what should run is started, by priority. Failures are logged. */
export async function startAll(
  context: InstancesContext,
  member: string,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const { services } = context;
  // What is on it waits until it is restored.
  if (services.records.get('members', member)?.value.state === 'Evacuated') return;
  const wanted = on(context, member)
    .filter(
      ({ record, config }) => shouldStart(config) && !isUp(statusOf(services, record.project, record.name)),
    )
    .sort(
      (a, b) =>
        number(b.config, 'boot.autostart.priority') - number(a.config, 'boot.autostart.priority') ||
        a.record.name.localeCompare(b.record.name),
    );
  for (const { record, config } of wanted) {
    signal.throwIfAborted();
    const change = { action: 'start' as const, force: false, timeoutMs: -1 };
    try {
      await changeState(context, record.project, record.name, change, { id: '', signal });
    } catch (error) {
      services.log.error('an instance did not start', {
        instance: record.name,
        error: toLxdError(error).message,
      });
    }
    const delay = number(config, 'boot.autostart.delay');
    if (delay > 0) await sleep(delay * 1000, undefined, { signal });
  }
}

/**
 * Before the host or the daemon goes down: everything of the member is stopped cleanly, each within its
 * `boot.host_shutdown_timeout` and all within `timeoutMs`, then by force; the highest `boot.stop.priority` first.
 * It will run again at the next start.
 */
export async function stopAll(
  context: InstancesContext,
  member: string,
  timeoutMs: number,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const { services } = context;
  const up = on(context, member).filter(({ record }) =>
    isUp(statusOf(services, record.project, record.name)),
  );
  const byPriority = Map.groupBy(up, ({ config }) => number(config, 'boot.stop.priority'));
  const deadline = performance.now() + timeoutMs;
  for (const priority of [...byPriority.keys()].sort((a, b) => b - a)) {
    await Promise.all(
      (byPriority.get(priority) ?? []).map(async ({ record, config }) => {
        const own = number(config, 'boot.host_shutdown_timeout', 30) * 1000;
        const left = Math.max(0, deadline - performance.now());
        await stopForShutdown(context, record, Math.min(own, left), signal);
      }),
    );
  }
}

async function stopForShutdown(
  context: InstancesContext,
  { project, name }: InstanceRecord,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { services } = context;
  const stop = (force: boolean) =>
    changeState(
      context,
      project,
      name,
      { action: 'stop', force, timeoutMs, powerAfter: 'RUNNING' },
      { id: '', signal },
    );
  try {
    await stop(timeoutMs === 0).catch(() => stop(true));
  } catch (error) {
    services.log.error('an instance did not stop', { instance: name, error: toLxdError(error).message });
  }
}
