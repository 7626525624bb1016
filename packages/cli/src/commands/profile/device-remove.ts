import { profileDevices, deviceRemove } from '../../base/devices.ts';

export default deviceRemove(profileDevices);
