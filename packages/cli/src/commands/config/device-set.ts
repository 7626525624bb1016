import { instanceDevices, deviceSet } from '../../base/devices.ts';

export default deviceSet(instanceDevices);
