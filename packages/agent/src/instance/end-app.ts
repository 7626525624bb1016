import { signalNumber, toLxdError, type Config } from '@lxd-ts/core';
import type { Liblxc } from '@lxd-ts/liblxc';
import { shutDown } from './shut-down.ts';

const SIGTERM = 15;
/** Where nobody says how long to wait: an application that does not listen would never end. */
const patienceMs = 10_000;

/**
 * Asks an application to end, as its image says. One that has not by then is left to be killed.
 * @param timeoutMs -1: as long as is usual
 */
export async function endApp(
  liblxc: Liblxc,
  id: string,
  config: Config,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const halt = signalNumber(config['oci.stop_signal'] ?? '') ?? SIGTERM;
  try {
    await shutDown(liblxc, id, timeoutMs < 0 ? patienceMs : timeoutMs, signal, halt);
  } catch (error) {
    if (toLxdError(error).code !== 'timeout' || signal.aborted) throw error;
  }
}
