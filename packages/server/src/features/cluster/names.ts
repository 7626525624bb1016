import { LxdError } from '@lxd-ts/core';

/** @throws LxdError `invalid` */
export function checkMemberName(name: string | undefined): string {
  if (name === undefined || !/^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/.test(name)) {
    throw new LxdError('invalid', '"server_name" must be a host name: letters, digits, dashes and dots');
  }
  return name;
}
