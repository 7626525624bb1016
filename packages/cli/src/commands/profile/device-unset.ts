import { profileDevices, deviceUnset } from '../../base/devices.ts';

export default deviceUnset(profileDevices);
