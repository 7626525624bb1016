import { toLxdError } from '@lxd-ts/core';
import type { ImageRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { bringImage } from '../instances/transfer-image.ts';

const defaultCopies = 3;

/** How many copies an image lacks, and who may get one: those with the fewest images first, so that all are used alike. */
function copiesOf({ records, agents }: Services, image: ImageRecord): { lacking: number; members: string[] } {
  const images = records.list('images').map(({ value }) => value);
  const members = records.list('members').map(({ value }) => value);
  const wanted = Number(
    records.get('serverConfig')?.value.config['cluster.images_minimal_replica'] ?? defaultCopies,
  );
  const copies = wanted < 0 ? members.length : wanted;
  const holders = members.filter(({ name }) => image.members.includes(name));
  const lacking = copies - holders.length;
  if (lacking <= 0) return { lacking, members: [] };
  const online = agents.online();
  const held = (member: string) => images.filter((one) => one.members.includes(member)).length;
  const candidates = members
    .filter((member) => !holders.includes(member) && online.includes(member.name))
    .filter(({ state, pending }) => state === 'Active' && pending === undefined)
    .map(({ name }) => ({ name, images: held(name) }))
    .sort((a, b) => a.images - b.images || (a.name < b.name ? -1 : 1));
  return { lacking, members: candidates.map(({ name }) => name) };
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
    if (!image?.members.some((name) => agents.online().includes(name))) continue;
    const { lacking: wanted, members } = copiesOf(services, image);
    let lacking = wanted;
    for (const member of members) {
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
