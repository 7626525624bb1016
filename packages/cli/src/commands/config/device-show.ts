import { instanceDevices, deviceShow } from '../../base/devices.ts';

export default deviceShow(instanceDevices);
