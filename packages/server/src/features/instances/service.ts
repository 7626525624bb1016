import type { Observation } from '@lxd-ts/rpc';
import type { Services } from '../../services.ts';
import { ImagePuller } from '../images/pull.ts';
import type { Drivers } from '../shared/drivers.ts';
import { bringUp } from './bring-up.ts';
import { Busy } from './busy.ts';
import type { InstancesContext } from './context.ts';
import { observe } from './observe.ts';
import { Placer } from './placement.ts';
import { stopAll } from './power.ts';
import { recoverInstances } from './recover.ts';

/** What the daemon and the registry of agents ask of the instances; the routes have the rest. */
export interface InstancesService {
  readonly context: InstancesContext;
  /** Finishes or rolls back what these API servers left half done. Returns how many are still pending. */
  recover(servers: readonly string[], options: { signal: AbortSignal }): Promise<number>;
  /** What an agent tells by itself. Calls for one member must be made in order. */
  observe(member: string, observation: Observation, options: { signal: AbortSignal }): Promise<void>;
  /** Starts what should run on a member that came up; once for every start of its agent. */
  bringUp(member: string, options: { signal: AbortSignal }): Promise<void>;
  /** Stops all on a member that goes down, cleanly within the time, then by force. */
  stopAll(member: string, timeoutMs: number, options: { signal: AbortSignal }): Promise<void>;
}

export function instancesService(
  services: Services,
  drivers: Pick<Drivers, 'device' | 'unpacksImages'>,
  puller = new ImagePuller(services),
): InstancesService {
  const context: InstancesContext = {
    services,
    drivers,
    busy: new Busy(),
    placer: new Placer(services),
    puller,
  };
  return {
    context,
    recover: (servers, options) => recoverInstances(context, servers, options),
    observe: (member, observation, options) => observe(context, member, observation, options),
    bringUp: (member, options) => bringUp(context, member, options),
    stopAll: (member, timeoutMs, options) => stopAll(context, member, timeoutMs, options),
  };
}
