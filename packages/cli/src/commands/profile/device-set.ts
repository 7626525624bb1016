import { profileDevices, deviceSet } from '../../base/devices.ts';

export default deviceSet(profileDevices);
