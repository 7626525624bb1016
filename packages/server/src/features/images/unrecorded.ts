import { setTimeout as sleep } from 'node:timers/promises';
import { toLxdError } from '@lxd-ts/core';
import type { Services } from '../../services.ts';
import { poolSpecsOn } from '../instances/spec.ts';

/** What came so long ago is on record, or nobody puts it there any more: files come first, the record right after. */
const ageMs = 60_000;

async function drop(services: Services, member: string, signal: AbortSignal): Promise<void> {
  const { records, agents, log } = services;
  const agent = agents.get(member);
  const held = await agent.heldImages(ageMs, { signal });
  if (held.length === 0) return;
  // Our memory may be old: this shows all that was committed before.
  await records.transaction().remove('imageTokens', ['none']).commit({ signal });
  const known = new Set(records.list('images').map(({ value }) => value.fingerprint));
  for (const fingerprint of held) {
    if (known.has(fingerprint)) continue;
    try {
      await agent.deleteImage(fingerprint, poolSpecsOn(services, member), { signal });
      log.info('removed files of an image that is not on record', { member, fingerprint });
    } catch (error) {
      signal.throwIfAborted();
      const { message } = toLxdError(error);
      log.warn('files of an image that is not on record stay', { member, fingerprint, error: message });
    }
  }
}

/**
 * A member is back: files of images that are gone, or never came on record because somebody was killed between the files and the
 * record, go; now, and when nothing that is there is new any more. Never throws.
 * @param signal aborts with the member's connection
 */
export async function dropUnrecordedImages(
  services: Services,
  member: string,
  signal: AbortSignal,
): Promise<void> {
  const attempt = () =>
    drop(services, member, signal).catch((error: unknown) => {
      if (!signal.aborted)
        services.log.warn('files of images that are not on record stay', {
          member,
          error: toLxdError(error).message,
        });
    });
  await attempt();
  sleep(ageMs + 1_000, undefined, { signal, ref: false })
    .then(attempt)
    .catch(() => undefined);
}
