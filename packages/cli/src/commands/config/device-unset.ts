import { instanceDevices, deviceUnset } from '../../base/devices.ts';

export default deviceUnset(instanceDevices);
