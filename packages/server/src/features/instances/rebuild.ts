import { LxdError, toLxdError } from '@lxd-ts/core';
import type { OperationView, RunningOperation } from '@lxd-ts/operations';
import type { ImageRecord, InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { remoteImageOf } from '../images/import-remote.ts';
import { asCache } from '../images/pull.ts';
import { findInstance, instanceUrl, isUp, memberOf, statusOf, type InstancesContext } from './context.ts';
import { ociConfig } from './oci-config.ts';
import { intend, withoutPending } from './pending.ts';
import type { InstanceRebuildPost, InstanceSourceBody } from './requests.ts';
import { settle, snapshotsOf, unchanged } from './snapshot-records.ts';
import { sourceImage } from './source.ts';
import { instanceSpec } from './spec.ts';
import { bringImage } from './transfer-image.ts';
import { fillVolatile } from './volatile.ts';
import { noteUnpacked } from '../volumes/image-volumes.ts';

const invalid = (message: string): LxdError => new LxdError('invalid', message);

/** What was told of the old files, or made for them. */
const oldKey = /^(image\.|oci\.|volatile\.(base_image$|apply_template$|last_state\.|cloud-init\.))/;

/** The instance with another image's files; what the user has configured stays. */
function rebuilt(services: Services, record: InstanceRecord, image: ImageRecord | undefined): InstanceRecord {
  const before = services.records.get('images', record.project, record.config['volatile.base_image'] ?? '');
  const said = before?.value.oci ?? {};
  const kept = Object.entries(record.config).filter(
    ([key, value]) => !oldKey.test(key) && said[key] !== value,
  );
  const properties = Object.entries(image?.properties ?? {}).map(([key, value]) => [`image.${key}`, value]);
  return fillVolatile(services, {
    ...record,
    ...(image ? { architecture: image.architecture } : {}),
    config: {
      ...(Object.fromEntries([
        ...properties,
        ...(image ? Object.entries(ociConfig(services, image, record)) : []),
        ...kept,
      ]) as Record<string, string>),
      ...(image ? { 'volatile.base_image': image.fingerprint } : {}),
      'volatile.apply_template': 'create',
    },
  });
}

/**
 * The effect of a rebuild that is on record: done again from its start, since half of it cannot be told.
 * @param fingerprint '': an empty root
 */
export async function finishRebuild(
  context: InstancesContext,
  record: InstanceRecord,
  fingerprint: string,
  signal: AbortSignal,
): Promise<void> {
  const { services } = context;
  const { project, name } = record;
  const member = memberOf(services, project, name);
  const spec = instanceSpec(services, withoutPending(record), member);
  const image = services.records.get('images', project, fingerprint)?.value;
  if (fingerprint !== '' && !image) throw new LxdError('not-found', 'Image not found');
  await services.agents
    .get(member)
    .rebuildInstance(spec, fingerprint === '' ? { type: 'none' } : { type: 'image', fingerprint }, {
      signal,
    });
  await settle(
    services,
    project,
    name,
    (value) => rebuilt(services, value, image),
    (transaction) => {
      if (image) noteUnpacked(context, transaction, { record, member, fingerprint });
    },
  );
}

async function imageOf(
  { services, puller }: InstancesContext,
  project: string,
  source: InstanceSourceBody,
  running: RunningOperation,
): Promise<ImageRecord | undefined> {
  if (source.type === 'none') return undefined;
  if (source.server) {
    return (await puller.pull(remoteImageOf(source), asCache(services, project), running)).image;
  }
  const found = sourceImage(services, project, source);
  if (!found) throw invalid('Image not provided for instance rebuild');
  return found;
}

/** `POST …/rebuild`: the root is made anew from an image, or empty. @throws LxdError `not-found`, `invalid` */
export function startRebuild(
  context: InstancesContext,
  project: string,
  name: string,
  { source = {} }: InstanceRebuildPost,
): Promise<OperationView> {
  const { services, busy } = context;
  findInstance(services, project, name);
  if (source.type !== 'image' && source.type !== 'none')
    throw invalid(`Unknown source type "${source.type ?? ''}": "image" or "none"`);
  const check = () => {
    if (isUp(statusOf(services, project, name))) throw invalid('Instance must be stopped to be rebuilt');
    if (snapshotsOf(services, project, name).length > 0)
      throw invalid('Cannot rebuild an instance with snapshots');
  };
  check();
  return services.operations.start({
    class: 'task',
    description: 'Rebuilding instance',
    project,
    resources: { instances: [name], containers: [name] },
    run: async (running) => {
      const { id, signal } = running;
      const image = await imageOf(context, project, source, running);
      if (image)
        await bringImage(services, project, image.fingerprint, memberOf(services, project, name), running);
      await busy.queue({ project, name }, 'rebuild', async () => {
        check();
        const fingerprint = image?.fingerprint ?? '';
        const intent = { kind: 'rebuild' as const, operation: id, detail: { fingerprint } };
        const { after } = await intend(context, project, name, intent, unchanged, { signal });
        try {
          await finishRebuild(context, after, fingerprint, signal);
        } catch (error) {
          // What the member has is known only to the member: where it cannot be asked, recovery does it again.
          if (toLxdError(error).code !== 'unavailable') await settle(services, project, name, unchanged);
          throw error;
        }
      });
      services.events.lifecycle({
        action: 'instance-rebuilt',
        source: instanceUrl(project, name),
        project,
      });
    },
  });
}
