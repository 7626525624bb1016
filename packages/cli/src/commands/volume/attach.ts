import { instanceDevices } from '../../base/devices.ts';
import { attachTo } from './disks.ts';

export default attachTo(instanceDevices, 'storage volume attach');
