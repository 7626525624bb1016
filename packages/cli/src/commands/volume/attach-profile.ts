import { profileDevices } from '../../base/devices.ts';
import { attachTo } from './disks.ts';

export default attachTo(profileDevices, 'storage volume attach-profile');
