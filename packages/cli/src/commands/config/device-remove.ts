import { instanceDevices, deviceRemove } from '../../base/devices.ts';

export default deviceRemove(instanceDevices);
