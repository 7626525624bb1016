import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until the answer is there; what is never there ends in an error that shows the last answer. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T>,
  isThere: (answer: T) => boolean,
  seconds = 30,
): Promise<T> {
  let last: T = await ask();
  for (let left = seconds * 5; !isThere(last); left--) {
    if (left === 0) throw new Error(`${what} did not come: ${JSON.stringify(last)}`);
    await sleep(200);
    last = await ask();
  }
  return last;
}
