import { LxdError } from '@lxd-ts/core';
import type { Io } from './io.ts';

/** Work that unwinds when the command is told to end. @param said then */
export async function interruptible<T>(
  io: Io,
  said: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const interrupted = new AbortController();
  using stack = new DisposableStack();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    stack.defer(io.onSignal(name, () => interrupted.abort(new LxdError('cancelled', said))));
  try {
    return await work(interrupted.signal);
  } catch (error) {
    // Whatever it was that could not go on.
    throw interrupted.signal.aborted ? interrupted.signal.reason : error;
  }
}
