import type { NetworkDriver } from './driver.ts';
import { bridge } from './drivers/bridge.ts';

/** Every network driver there is. */
export const networkDrivers: readonly NetworkDriver[] = [bridge];

export const networkDriver = (type: string): NetworkDriver | undefined =>
  networkDrivers.find((driver) => driver.type === type);
