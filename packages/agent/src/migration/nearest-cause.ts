import { setTimeout as sleep } from 'node:timers/promises';
import { toLxdError } from '@lxd-ts/core';

const waitMs = 3_000;

/** When a transfer ends because a connection did, what the other side still says of it is nearer to the cause. */
export async function nearestCause<T>(work: Promise<T>, said: Promise<unknown>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (toLxdError(error).code === 'unavailable')
      await Promise.race([said, sleep(waitMs, undefined, { ref: false })]);
    throw error;
  }
}
