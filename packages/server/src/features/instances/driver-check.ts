import type { InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import type { DeviceCheck } from './devices.ts';

/** Checks a device by the driver it will get. */
export const driverCheck =
  (_services: Services, _record: InstanceRecord): DeviceCheck =>
  () =>
    undefined;
