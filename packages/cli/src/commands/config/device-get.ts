import { instanceDevices, deviceGet } from '../../base/devices.ts';

export default deviceGet(instanceDevices);
