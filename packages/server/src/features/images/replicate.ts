import { toLxdError } from '@lxd-ts/core';
import type { ImageRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { bringImage } from '../instances/transfer-image.ts';

const defaultCopies = 3;

/** How many copies an image lacks. */
function lackingOf({ records }: Services, image: ImageRecord): number {
  const wanted = Number(
    records.get('serverConfig')?.value.config['cluster.images_minimal_replica'] ?? defaultCopies,
  );
  const holders = image.members.filter((name) => records.get('members', name));
  return (wanted < 0 ? records.list('members').length : wanted) - holders.length;
}

/** Who may get a copy: those with the fewest images first, so that all are used alike. */
function candidatesOf({ records, agents }: Services, image: ImageRecord): string[] {
  const images = records.list('images').map(({ value }) => value);
  const online = agents.online();
  const held = (member: string) => images.filter((one) => one.members.includes(member)).length;
  return records
    .list('members')
    .map(({ value }) => value)
    .filter(({ name }) => !image.members.includes(name) && online.includes(name))
    .filter(({ state, pending }) => state === 'Active' && pending === undefined)
    .map(({ name }) => ({ name, images: held(name) }))
    .sort((a, b) => a.images - b.images || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}

/**
 * Brings images to more members, until each has as many copies as `cluster.images_minimal_replica` says, or as there
 * are members online. Instead of one that fails the next gets it.
 */
export async function replicateImages(
  services: Services,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const { records, agents, log } = services;
  for (const { fingerprint, project } of records.list('images').map(({ value }) => value)) {
    // Read again for each: a transfer takes its time.
    const image = records.get('images', project, fingerprint)?.value;
    let lacking = image ? lackingOf(services, image) : 0;
    if (!image || lacking <= 0) continue;
    const online = agents.online();
    if (!image.members.some((name) => online.includes(name))) continue;
    for (const member of candidatesOf(services, image)) {
      if (signal.aborted) return;
      if (lacking <= 0) break;
      try {
        await bringImage(services, project, fingerprint, member, { signal });
        lacking -= 1;
        log.info('an image has one more copy', { fingerprint, member });
      } catch (error) {
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- aborted meanwhile
        if (signal.aborted) return;
        if (!records.get('images', project, fingerprint)) break; // deleted meanwhile
        const { message } = toLxdError(error);
        log.warn('an image was not copied to a member', { fingerprint, member, error: message });
      }
    }
  }
}
