import { profileDevices, deviceAdd } from '../../base/devices.ts';

export default deviceAdd(profileDevices);
