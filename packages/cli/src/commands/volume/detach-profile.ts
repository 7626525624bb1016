import { profileDevices } from '../../base/devices.ts';
import { detachFrom } from './disks.ts';

export default detachFrom(profileDevices, 'storage volume detach-profile');
