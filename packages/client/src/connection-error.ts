import { LxdError } from '@lxd-ts/core';
import { describeEndpoint, type Endpoint } from './endpoint.ts';

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';

/** Failures of the proof that a server is who we think it is. Nothing was sent to it. */
const distrust: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'it shows another certificate than the one that is trusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not the one that is trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an unknown authority',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_SIGNATURE_FAILURE: 'its certificate is not the one that is trusted',
};

/** A socket's failure in words that say what to do; anything else as it is. */
export function connectionError(error: unknown, endpoint: Endpoint): unknown {
  const where = describeEndpoint(endpoint);
  const code = codeOf(error);
  const untrusted = distrust[code];
  if (untrusted !== undefined) {
    return new LxdError('unavailable', `Cannot trust the server at ${where}: ${untrusted}`, { cause: error });
  }
  switch (code) {
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
      if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
        return new LxdError('unavailable', `The server at ${where} does not speak TLS 1.3 with us`, {
          cause: error,
        });
      }
      return error;
  }
}
