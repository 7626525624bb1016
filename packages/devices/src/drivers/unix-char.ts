import { unixDevice } from '../unix-device.ts';

export const unixChar = unixDevice('unix-char');
