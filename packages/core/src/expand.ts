import type { Config, Devices } from './spec.ts';

/** What a profile or an instance says itself. */
export interface Layer {
  config: Config;
  devices: Devices;
}

/**
 * Profiles in their order, the instance's own last: later keys win, an empty value says nothing, and a device
 * replaces one of the same name as a whole.
 */
export function expand(layers: readonly Layer[]): Layer {
  const said = layers.flatMap(({ config }) => Object.entries(config).filter(([, value]) => value !== ''));
  return {
    config: Object.fromEntries(said),
    devices: Object.fromEntries(layers.flatMap(({ devices }) => Object.entries(devices))),
  };
}
