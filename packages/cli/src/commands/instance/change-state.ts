import { LxdError, toLxdError } from '@lxd-ts/core';
import type { Instance } from '@lxd-ts/client';
import type { Context } from '../../base/context.ts';
import { apiPath, requireName } from '../../base/names.ts';

export interface StateChange {
  action: 'start' | 'stop' | 'restart' | 'freeze' | 'unfreeze';
  force?: boolean;
  /** Seconds; -1 waits as long as it takes. */
  timeout?: number;
  stateful?: boolean;
}

export async function changeState(context: Context, name: string, change: StateChange): Promise<void> {
  const body = { force: false, timeout: -1, stateful: false, ...change };
  await context.change('PUT', apiPath('instances', name, 'state'), { body });
}

/** A frozen instance is started by thawing it. */
export async function startOrThaw(context: Context, name: string, change: StateChange): Promise<void> {
  const { status } = await context.client.get<Instance>(apiPath('instances', name));
  await changeState(context, name, status === 'Frozen' ? { ...change, action: 'unfreeze' } : change);
}

/** The instances that `--all` means for an action. */
const wanted: Readonly<Record<StateChange['action'], readonly string[]>> = {
  start: ['Stopped', 'Frozen'],
  unfreeze: ['Frozen'],
  stop: ['Running', 'Frozen'],
  restart: ['Running'],
  freeze: ['Running'],
};

export async function targets(
  context: Context,
  args: readonly string[],
  all: boolean,
  action: StateChange['action'],
): Promise<string[]> {
  if (!all) {
    if (args.length === 0) throw new LxdError('invalid', 'Name at least one instance, or use --all');
    return args.map((name) => requireName(name, 'instance'));
  }
  if (args.length > 0) throw new LxdError('invalid', 'Both --all and instance name given');
  const instances = await context.client.get<Instance[]>('/1.0/instances', { query: { recursion: 1 } });
  return instances.filter(({ status }) => wanted[action].includes(status)).map(({ name }) => name);
}

/** Does the same to every instance at once. One that fails does not keep the others from it. */
export async function forEachInstance(
  context: Context,
  names: readonly string[],
  verb: string,
  task: (name: string) => Promise<unknown>,
): Promise<void> {
  const [only] = names;
  if (names.length === 1 && only !== undefined) {
    await task(only);
    return;
  }
  const results = await Promise.allSettled(names.map(task));
  const failures = results.flatMap((result, i) =>
    result.status === 'rejected' ? [`${names[i] ?? ''}: error: ${toLxdError(result.reason).message}\n`] : [],
  );
  if (failures.length === 0) return;
  context.io.stderr.write(`${failures.join('')}\n`);
  throw new LxdError('internal', `Some instances failed to ${verb}`);
}
