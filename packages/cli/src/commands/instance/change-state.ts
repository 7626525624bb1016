import { LxdError, toLxdError } from '@lxd-ts/core';
import type { Instance } from '@lxd-ts/client';
import type { Context } from '../../base/context.ts';
import { apiPath } from '../../base/names.ts';
import type { Place, Shell } from '../../base/shell.ts';

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
  shell: Shell,
  args: readonly string[],
  all: boolean,
  action: StateChange['action'],
): Promise<Place[]> {
  if (!all) {
    if (args.length === 0) throw new LxdError('invalid', 'Name at least one instance, or use --all');
    return Promise.all(args.map((name) => shell.require(name, 'instance')));
  }
  if (args.some((word) => !word.endsWith(':')))
    throw new LxdError('invalid', 'Both --all and instance name given');
  const contexts = await Promise.all((args.length > 0 ? args : ['']).map((word) => shell.parse(word)));
  return (await Promise.all(contexts.map(([context]) => allOn(context, action)))).flat();
}

async function allOn(context: Context, action: StateChange['action']): Promise<Place[]> {
  const instances = await context.client.get<Instance[]>('/1.0/instances', { query: { recursion: 1 } });
  return instances.filter(({ status }) => wanted[action].includes(status)).map(({ name }) => [context, name]);
}

/** Does the same to every instance at once. One that fails does not keep the others from it. */
export async function forEachInstance(
  shell: Shell,
  places: readonly Place[],
  verb: string,
  task: (...place: Place) => Promise<unknown>,
): Promise<void> {
  const [only] = places;
  if (places.length === 1 && only !== undefined) {
    await task(...only);
    return;
  }
  const results = await Promise.allSettled(places.map((place) => task(...place)));
  const failures = results.flatMap((result, i) =>
    result.status === 'rejected'
      ? [`${places[i]?.[1] ?? ''}: error: ${toLxdError(result.reason).message}\n`]
      : [],
  );
  if (failures.length === 0) return;
  shell.io.stderr.write(`${failures.join('')}\n`);
  throw new LxdError('internal', `Some instances failed to ${verb}`);
}
