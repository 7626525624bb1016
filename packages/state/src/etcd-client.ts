import { setTimeout as sleep } from 'node:timers/promises';
import { InterceptingCall, type CallOptions, type Interceptor } from '@grpc/grpc-js';
import { abortable, LxdError } from '@lxd-ts/core';
import {
  ClientClosedError,
  Etcd3,
  EtcdLeaseInvalidError,
  EtcdPermissionDeniedError,
  GRPCFailedPreconditionError,
  GRPCInvalidArgumentError,
  GRPCOutOfRangeError,
  GRPCResourceExhastedError,
  GRPCUnauthenticatedError,
  type IOptions,
} from 'etcd3';

export interface EtcdTarget {
  /** `https://host:2379`, `http://…` or `unix:/absolute/path`. All must belong to one cluster. */
  endpoints: readonly string[];
  /** PEM. */
  tls?: { ca: Buffer; cert?: Buffer; key?: Buffer };
  /** Of every single call. */
  callTimeoutMs?: number;
  /** How long a read or a commit is tried again before it is `unavailable`. */
  patienceMs?: number;
}

/** The raw calls of etcd3 with a deadline on each, and none of its own retries. */
export interface EtcdClient {
  raw: Etcd3;
  patienceMs: number;
}

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>;

/** etcd3 repeats calls that timed out: a transaction may then apply and be reported as lost. We repeat what we understand. */
const once = {
  execute: (work: (context: object) => unknown) => Promise.resolve().then(() => work({})),
} as unknown as Policy;

export function etcdClient(target: EtcdTarget): EtcdClient {
  const { endpoints, tls, callTimeoutMs = 1500, patienceMs = 10_000 } = target;
  if (endpoints.length === 0) throw new LxdError('invalid', 'No etcd endpoint was given');
  const raw = new Etcd3({
    hosts: [...endpoints],
    ...(tls && {
      credentials: {
        rootCertificate: tls.ca,
        ...(tls.cert && { certChain: tls.cert }),
        ...(tls.key && { privateKey: tls.key }),
      },
    }),
    defaultCallOptions: ({ isStream }) => (isStream ? {} : { deadline: Date.now() + callTimeoutMs }),
    faultHandling: { host: () => once, global: once },
    grpcOptions: {
      // A watch that fell behind gets its whole backlog; the default of 4 MB would end it.
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.initial_reconnect_backoff_ms': 20,
      'grpc.min_reconnect_backoff_ms': 20,
      'grpc.max_reconnect_backoff_ms': 1000,
      // Below etcd's own limit of one ping in 5 s.
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 3000,
    },
  });
  return { raw, patienceMs };
}

/** Streams end when their etcd member has lost the leader; otherwise they would be silent and stale. */
export const streamOptions: CallOptions = {
  interceptors: [
    ((options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        start(metadata, listener, next) {
          metadata.set('hasleader', 'true');
          next(metadata, listener);
        },
      })) satisfies Interceptor,
  ],
};

const definite: readonly [new (message: string) => Error, LxdError['code'], string][] = [
  [EtcdLeaseInvalidError, 'not-found', 'The lease has ended'],
  [EtcdPermissionDeniedError, 'forbidden', 'etcd refuses the access'],
  [GRPCUnauthenticatedError, 'unauthenticated', 'etcd does not accept the credentials'],
  [GRPCInvalidArgumentError, 'internal', 'etcd does not accept the request'],
  [GRPCFailedPreconditionError, 'internal', 'etcd does not accept the request'],
  [GRPCOutOfRangeError, 'internal', 'The history was compacted'],
  [GRPCResourceExhastedError, 'unavailable', 'etcd takes no more data'],
  [ClientClosedError, 'unavailable', 'The store is closed'],
];

export const isCompacted = (error: unknown): boolean => error instanceof GRPCOutOfRangeError;

/** What etcd answered, as our error; undefined when it is not an answer: the call may or may not have been applied. */
export function answerOf(error: unknown): LxdError | undefined {
  if (error instanceof LxdError) return error;
  for (const [type, code, sentence] of definite) {
    if (error instanceof type) return new LxdError(code, `${sentence}: ${error.message}`, { cause: error });
  }
  return undefined;
}

export const noAnswer = (cause: unknown): LxdError =>
  new LxdError(
    'unavailable',
    `etcd does not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      cause,
    },
  );

/** Waits 20 ms, then twice as long each time up to `most`; throws when aborted. */
export class Backoff {
  #next = 20;
  readonly #most: number;

  constructor(most = 500) {
    this.#most = most;
  }

  reset(): void {
    this.#next = 20;
  }

  async wait(signal: AbortSignal): Promise<void> {
    await sleep(this.#next, undefined, { signal });
    this.#next = Math.min(this.#next * 2, this.#most);
  }
}

/** Calls until there is an answer. For what may be done twice. */
export async function untilAnswered<T>(
  client: EtcdClient,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const end = performance.now() + client.patienceMs;
  const backoff = new Backoff();
  for (;;) {
    try {
      return await abortable(work(), signal);
    } catch (error) {
      signal.throwIfAborted();
      const answer = answerOf(error);
      if (answer) throw isCompacted(error) ? error : answer;
      if (performance.now() > end) throw noAnswer(error);
    }
    await backoff.wait(signal);
  }
}
