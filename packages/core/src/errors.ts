/** What went wrong, in a dozen words. Tables to and from HTTP and gRPC follow. */
export type ErrorCode =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'method-not-allowed'
  | 'conflict'
  | 'precondition-failed'
  | 'too-large'
  | 'cancelled'
  | 'timeout'
  | 'internal'
  | 'unsupported'
  | 'unavailable';

const httpStatus: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 501,
  conflict: 409,
  'precondition-failed': 412,
  'too-large': 413,
  cancelled: 400,
  timeout: 504,
  internal: 500,
  unsupported: 501,
  unavailable: 503,
};

const grpcStatus: Readonly<Record<ErrorCode, number>> = {
  cancelled: 1,
  invalid: 3,
  timeout: 4,
  'not-found': 5,
  conflict: 6,
  forbidden: 7,
  'too-large': 8,
  'precondition-failed': 9,
  'method-not-allowed': 12,
  unsupported: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
};

/** The one error class. The message is for people: it names the field and says what would be right. */
export class LxdError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'LxdError';
    this.code = code;
  }
}

export const httpStatusOf = (code: ErrorCode): number => httpStatus[code];
export const grpcStatusOf = (code: ErrorCode): number => grpcStatus[code];

/** The code behind a gRPC status; what we do not know is `internal`. */
export function codeOfGrpcStatus(status: number): ErrorCode {
  const found = Object.entries(grpcStatus).find(([, value]) => value === status);
  return found ? (found[0] as ErrorCode) : 'internal';
}

/** The code behind an HTTP status that a server answered. */
export function codeOfHttpStatus(status: number): ErrorCode {
  const found = Object.entries(httpStatus).find(([, value]) => value === status);
  return found ? (found[0] as ErrorCode) : 'internal';
}

const isAbort = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');

/** Anything thrown, as an LxdError: aborts are `cancelled` or `timeout`, the unknown is `internal`. */
export function toLxdError(error: unknown): LxdError {
  if (error instanceof LxdError) return error;
  if (isAbort(error)) {
    const { name, message } = error as Error;
    return new LxdError(name === 'TimeoutError' ? 'timeout' : 'cancelled', message, { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new LxdError('internal', message, { cause: error });
}
