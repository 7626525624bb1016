import { instanceDevices } from '../../base/devices.ts';
import { detachFrom } from './disks.ts';

export default detachFrom(instanceDevices, 'storage volume detach');
