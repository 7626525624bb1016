import { profileDevices, deviceShow } from '../../base/devices.ts';

export default deviceShow(profileDevices);
