import { instanceDevices, deviceAdd } from '../../base/devices.ts';

export default deviceAdd(instanceDevices);
