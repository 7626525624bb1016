import { profileDevices, deviceGet } from '../../base/devices.ts';

export default deviceGet(profileDevices);
