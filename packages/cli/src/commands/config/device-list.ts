import { instanceDevices, deviceList } from '../../base/devices.ts';

export default deviceList(instanceDevices);
