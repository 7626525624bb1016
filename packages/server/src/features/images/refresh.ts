import { abortable, LxdError, toLxdError } from '@lxd-ts/core';
import type { OperationView, RunningOperation } from '@lxd-ts/operations';
import type { ImageRecord } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import type { Duty } from '../../cluster/leader.ts';
import type { ImagePuller } from './pull.ts';
import { dropImage } from './service.ts';
import { findImage } from './view.ts';

const hourMs = 3_600_000;
const lookMs = 60_000;

/** Fetches what its name means by now, which takes its place. @returns whether there was a newer one */
async function update(
  services: Services,
  puller: ImagePuller,
  project: string,
  fingerprint: string,
  running: RunningOperation,
): Promise<boolean> {
  const { value: image } = findImage(services, project, fingerprint);
  const { source, public: open, autoUpdate, cached, profiles, lastUsedAt } = image;
  if (!source) throw new LxdError('not-found', 'Image source not found');
  const options = { project, public: open, autoUpdate, cached, profiles };
  const { image: newer } = await puller.pull(source, options, running, true);
  if (newer.fingerprint === fingerprint) return false;
  await services.records.modify(
    'images',
    [project, newer.fingerprint],
    (value) => ({
      ...value,
      lastUsedAt: value.lastUsedAt || lastUsedAt,
      // One that was only kept for an instance goes by itself: it is what somebody asked for, now.
      ...(value.cached && !cached ? options : {}),
      source: value.source ?? source,
    }),
    { signal: running.signal },
  );
  await dropImage(services, project, fingerprint, {
    signal: running.signal,
    successor: newer.fingerprint,
  });
  services.events.lifecycle({
    action: 'image-refreshed',
    source: `/1.0/images/${newer.fingerprint}`,
    project,
  });
  return true;
}

/** `POST /1.0/images/FINGERPRINT/refresh` @throws LxdError `not-found`, `invalid` */
export function startRefresh(
  services: Services,
  puller: ImagePuller,
  project: string,
  prefix: string,
  { caller, onOver }: { caller?: Caller; onOver?: () => void } = {},
): Promise<OperationView> {
  const { fingerprint } = findImage(services, project, prefix).value;
  return services.operations.start({
    class: 'task',
    description: 'Refreshing image',
    project,
    resources: caller ? {} : { images: [fingerprint] },
    run: async (running) => {
      try {
        running.update({ refreshed: await update(services, puller, project, fingerprint, running) });
      } catch (error) {
        const { code, message } = toLxdError(error);
        const which = `Failed to update image "${fingerprint}" in project "${project}"`;
        throw new LxdError(code, `${which}: ${message}`, { cause: error });
      } finally {
        onOver?.();
      }
    },
  });
}

/** How many are looked for at once, and how long one may keep others waiting. */
const atOnce = 4;
const patienceMs = 600_000;

/** Looks for newer images every `images.auto_update_interval` hours, for those that are to be kept up to date. */
export function imageUpdates(services: Services, puller: ImagePuller): Duty {
  const { records, clock, log } = services;
  let lookedAt = 0;
  let isLooking = false;
  const look = async ({ project, fingerprint }: ImageRecord, signal: AbortSignal): Promise<void> => {
    const over = Promise.withResolvers<undefined>();
    const enough = setTimeout(() => over.resolve(undefined), patienceMs).unref();
    try {
      await startRefresh(services, puller, project, fingerprint, { onOver: () => over.resolve(undefined) });
      await abortable(over.promise, signal);
    } catch (error) {
      if (!signal.aborted)
        log.warn('an image was not looked for', { fingerprint, error: toLxdError(error).message });
    } finally {
      clearTimeout(enough);
    }
  };
  return {
    name: 'newer images',
    everyMs: lookMs,
    run({ signal }) {
      const hours = Number(records.get('serverConfig')?.value.config['images.auto_update_interval'] ?? 6);
      const now = clock.now().getTime();
      if (isLooking || !(hours > 0) || now - lookedAt < hours * hourMs) return Promise.resolve();
      lookedAt = now;
      isLooking = true;
      const due = records
        .list('images')
        .map(({ value }) => value)
        .filter(({ autoUpdate, source }) => autoUpdate && source);
      const worker = async (): Promise<void> => {
        for (let image = due.shift(); image && !signal.aborted; image = due.shift())
          await look(image, signal);
      };
      // Not waited for: other duties do not wait for servers of images.
      void Promise.all(Array.from({ length: atOnce }, worker)).finally(() => (isLooking = false));
      return Promise.resolve();
    },
  };
}
