import { anyDevice } from '../checks.ts';
import type { DeviceDriver } from '../driver.ts';

/** Nothing: it hides a profile's device of the same name. */
export const none: DeviceDriver = {
  type: 'none',
  schema: anyDevice('none'),
  capabilities: { hotplug: true, coldplug: true },
  validate: () => undefined,
  start: () => Promise.resolve({ volatile: {} }),
  stop: () => Promise.resolve({}),
  remove: () => Promise.resolve(),
};
