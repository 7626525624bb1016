import { profileDevices, deviceList } from '../../base/devices.ts';

export default deviceList(profileDevices);
