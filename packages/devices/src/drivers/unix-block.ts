import { unixDevice } from '../unix-device.ts';

export const unixBlock = unixDevice('unix-block');
