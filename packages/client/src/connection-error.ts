import { LxdError } from '@lxd-ts/core';
import { describeEndpoint, type Endpoint } from './endpoint.ts';

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';

/** A socket's failure in words that say what to do; anything else as it is. */
export function connectionError(error: unknown, endpoint: Endpoint): unknown {
  const where = describeEndpoint(endpoint);
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new LxdError('unavailable', `Cannot reach the daemon at ${where}: it is not running`, {
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new LxdError(
        'forbidden',
        `Permission denied at ${where}: run as root or as a member of the group that owns this socket`,
        { cause: error },
      );
    case 'ECONNRESET':
    case 'EPIPE':
      return new LxdError('unavailable', `The daemon at ${where} closed the connection`, { cause: error });
    case 'ENOTFOUND':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return new LxdError('unavailable', `Cannot reach ${where}: ${(error as Error).message}`, {
        cause: error,
      });
    default:
      return error;
  }
}
