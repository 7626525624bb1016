import { checkInstanceName, LxdError, toLxdError, type Config } from '@lxd-ts/core';
import type { OperationView, RunningOperation } from '@lxd-ts/operations';
import type { InstanceSource } from '@lxd-ts/rpc';
import type { ImageRecord, InstanceRecord, Pending, Transaction } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { dropFile } from '../backups/files.ts';
import type { ImportedBackup } from '../backups/import.ts';
import { remoteImageOf } from '../images/import-remote.ts';
import { asCache } from '../images/pull.ts';
import type { RemoteImage } from '../images/remote.ts';
import type { MigrationEnd } from '../migration/ends.ts';
import { receiveMigrated, sinkEnd } from '../migration/receive.ts';
import { putReceived, recordReceived } from '../migration/snapshots.ts';
import { checkInstanceConfig } from './config-schema.ts';
import {
  instanceUrl,
  knownArchitecture,
  memberOf,
  unwindTimeoutMs,
  type InstancesContext,
} from './context.ts';
import { copyAcross, copyOrigin, copySource, putCopied, type CopyOrigin } from './copy.ts';
import { checkDevices, checkDeviceTypes } from './devices.ts';
import { expandIn, rootDisk } from './expand.ts';
import { generateName } from './names.ts';
import { ociConfig } from './oci-config.ts';
import type { Choice } from './placement.ts';
import { startRefresh, startRefreshMigrated } from './refresh.ts';
import { removeInstance } from './remove.ts';
import type { InstancesPost, InstanceSourceBody } from './requests.ts';
import { sourceImage } from './source.ts';
import { settle } from './snapshot-records.ts';
import { told } from './snapshots.ts';
import { instanceSpec } from './spec.ts';
import { bringImage } from './transfer-image.ts';
import { fillVolatile, withOutcome, withoutOwnVolatile } from './volatile.ts';
import { noteUnpacked } from '../volumes/image-volumes.ts';

/** Turns at a name, a pool or room that may be lost before it is given up. */
const maxAttempts = 20;
const placingTimeoutMs = 60_000;

export interface CreateRequest {
  project: string;
  body: InstancesPost;
  target?: string;
  caller?: Caller;
  /** It is what this was. */
  backup?: ImportedBackup;
}

/** What is to be made, and what fills it. */
interface Plan {
  record: InstanceRecord;
  source:
    | { kind: 'image'; image: ImageRecord }
    | { kind: 'none' }
    | ({ kind: 'copy' } & CopyOrigin)
    | { kind: 'migration'; source: InstanceSourceBody; end: MigrationEnd }
    | { kind: 'backup'; backup: ImportedBackup };
}

/** A plan with its place. */
interface Creation extends Plan {
  member: string;
}

/** Where a new instance comes from, as far as it can be told before the operation. */
type Origin =
  | { kind: 'image'; image: ImageRecord | undefined }
  /** Of another server: known when it is here. */
  | { kind: 'remote-image'; remote: RemoteImage }
  | { kind: 'none' }
  | ({ kind: 'copy' } & CopyOrigin)
  | { kind: 'migration'; source: InstanceSourceBody; end: MigrationEnd }
  | { kind: 'backup'; backup: ImportedBackup };

const set = (config: Config | null | undefined): Config =>
  Object.fromEntries(Object.entries(config ?? {}).filter(([, value]) => value !== ''));

const prefixed = (prefix: string, error: unknown): LxdError => {
  const { code, message } = toLxdError(error);
  return new LxdError(code, `${prefix}${message}`, { cause: error });
};

function originOf({ services }: InstancesContext, { project, body, backup }: CreateRequest): Origin {
  if (backup) return { kind: 'backup', backup };
  const source = body.source ?? {};
  switch (source.type) {
    case 'image':
      if (source.server) return { kind: 'remote-image', remote: remoteImageOf(source) };
      return { kind: 'image', image: sourceImage(services, project, source) };
    case 'none':
      return { kind: 'none' };
    case 'copy':
      return { kind: 'copy', ...copyOrigin(services, project, source) };
    case 'migration':
      return { kind: 'migration', source, end: sinkEnd(services, source) };
    default:
      throw new LxdError('invalid', `Unknown source type ${source.type ?? ''}`);
  }
}

const imageConfig = (image: ImageRecord): Config =>
  Object.fromEntries(Object.entries(image.properties).map(([name, value]) => [`image.${name}`, value]));

/** The record before the server's own keys, from the request and what it is made from. */
function draft(
  context: InstancesContext,
  request: CreateRequest,
  name: string,
  origin: Origin,
): InstanceRecord {
  const { body, project } = request;
  const record: InstanceRecord = {
    project,
    name,
    type: 'container',
    architecture: knownArchitecture(body.architecture),
    description: body.description ?? '',
    ephemeral: body.ephemeral ?? false,
    stateful: false,
    config: { ...set(body.config), 'volatile.apply_template': 'create' },
    devices: body.devices ?? {},
    profiles: body.profiles ?? ['default'],
    createdAt: context.services.clock.now().toISOString(),
    lastUsedAt: '',
  };
  if (origin.kind === 'image' && origin.image) {
    const { image } = origin;
    record.architecture = image.architecture;
    record.profiles = body.profiles ?? (image.profiles.length > 0 ? image.profiles : ['default']);
    record.config = {
      ...imageConfig(image),
      ...ociConfig(context.services, image, record),
      ...record.config,
      'volatile.base_image': image.fingerprint,
    };
  }
  if (origin.kind === 'backup') {
    record.config = set(body.config);
    record.createdAt = origin.backup.createdAt || record.createdAt;
  }
  if (origin.kind === 'copy') {
    const { from } = origin;
    record.architecture = from.architecture;
    record.profiles = body.profiles ?? from.profiles;
    record.devices = { ...from.devices, ...body.devices };
    record.config = {
      ...withoutOwnVolatile(from.config),
      ...record.config,
      'volatile.apply_template': 'copy',
    };
  }
  if (origin.kind === 'migration')
    record.config = {
      ...record.config,
      'volatile.apply_template': 'copy',
      // However its files come, they are kept with the ids inside.
      'volatile.last_state.idmap': '[]',
    };
  return record;
}

/** Everything that LXD finds wrong only once the operation runs, in its order and words. */
function plan(context: InstancesContext, request: CreateRequest, name: string, origin: Origin): Plan {
  const { services } = context;
  if (origin.kind === 'image' && !origin.image)
    throw new LxdError('invalid', 'Image not provided for instance creation');
  if (request.body.type === 'virtual-machine')
    throw origin.kind === 'image'
      ? new LxdError(
          'invalid',
          'Requested image\'s type "container" doesn\'t match instance type "virtual-machine"',
        )
      : new LxdError('invalid', 'Instance type "virtual-machine" is not supported on this server');
  if (origin.kind === 'backup' && services.records.get('instances', request.project, name))
    throw new LxdError(
      'conflict',
      'Create instance from backup: Cannot restore volume, already exists on target',
    );
  const record = draft(context, request, name, origin);
  try {
    checkInstanceConfig(record.config);
    checkDeviceTypes(record.devices);
    if (new Set(record.profiles).size !== record.profiles.length)
      throw new LxdError('invalid', 'Duplicate profile found in request');
    checkInstanceName(name);
    if (origin.kind !== 'backup' && services.records.get('instances', record.project, name))
      throw new LxdError(
        'conflict',
        'Add instance info to the database: This "instances" entry already exists',
      );
    checkExpanded(context, record);
  } catch (error) {
    throw prefixed(
      `${origin.kind === 'backup' ? 'Failed importing backup: ' : ''}Failed creating instance record: `,
      error,
    );
  }
  const source: Plan['source'] =
    origin.kind === 'image' && origin.image
      ? { kind: 'image', image: origin.image }
      : (origin as Plan['source']);
  return { record, source };
}

/** A copy is made where its source is, unless it is asked for elsewhere. */
const choose = (
  { services, placer }: InstancesContext,
  { target }: CreateRequest,
  { record, source }: Plan,
): Promise<Choice> =>
  placer.choose(
    {
      ...record,
      ...(source.kind === 'image' ? { fingerprint: source.image.fingerprint } : {}),
      target:
        target ||
        (source.kind === 'copy'
          ? memberOf(services, source.from.project, source.from.name)
          : source.kind === 'backup'
            ? source.backup.member
            : undefined),
    },
    AbortSignal.timeout(placingTimeoutMs),
  );

/** What the server decides of an instance that has its place. */
function settled({ services }: InstancesContext, { record, source }: Plan, { member }: Choice): Creation {
  const architecture =
    record.architecture || (services.records.get('members', member)?.value.architecture ?? '');
  return { record: fillVolatile(services, { ...record, architecture }), member, source };
}

const usable = (record: { pending?: Pending } | undefined): boolean =>
  record !== undefined && record.pending?.kind !== 'delete';

function checkExpanded(context: InstancesContext, record: InstanceRecord): void {
  const { services } = context;
  const { devices } = expandIn(services, record.project, record);
  try {
    if (Object.keys(record.devices).length === 0 && !rootDisk(devices))
      throw new LxdError('invalid', 'Failed getting root disk: No root device could be found');
    const pool = rootDisk(devices)?.[1]['pool'];
    if (pool && !usable(services.records.get('pools', pool)?.value))
      throw new LxdError('invalid', 'Failed loading storage pool: Storage pool not found');
    try {
      checkDevices(context, record);
    } catch (error) {
      throw prefixed('Invalid devices: ', error);
    }
  } catch (error) {
    throw prefixed('Failed initialising instance: ', error);
  }
}

/**
 * Creates an instance. Wrong requests are refused at once where LXD does, else by an operation that fails.
 * @throws LxdError
 */
export async function createInstance(
  context: InstancesContext,
  request: CreateRequest,
): Promise<OperationView> {
  const { services } = context;
  const { project, body } = request;
  if (project !== 'default') throw new LxdError('not-found', 'Failed loading project: Project not found');
  checkTarget(context, request);
  const type = body.type ?? '';
  if (!['', 'container', 'virtual-machine'].includes(type))
    throw new LxdError('invalid', 'Invalid instance type');
  if (body.instance_type)
    throw new LxdError('invalid', `Provided instance type doesn't exist: ${body.instance_type}`);
  for (const profile of body.profiles ?? []) {
    if (!services.records.get('profiles', project, profile))
      throw new LxdError('internal', `Requested profile "${profile}" doesn't exist`);
  }
  const taken = (candidate: string) => services.records.get('instances', project, candidate) !== undefined;
  const name = body.name ? body.name : generateName(() => services.uuid(), taken);
  // Of a backup LXD finds out in the operation.
  if (!request.backup) checkInstanceName(name);
  const refreshed = body.source?.refresh && taken(name) ? body.source : undefined;
  if (refreshed?.type === 'migration') return startRefreshMigrated(context, { project, name }, refreshed);
  const origin = originOf(context, request);
  if (refreshed && origin.kind === 'copy') return startRefresh(context, { project, name }, refreshed);

  const names = origin.kind === 'copy' ? [name, body.source?.source ?? ''] : [name];
  const operation = {
    ...(origin.kind === 'migration' ? origin.end.operation : { class: 'task' as const }),
    description: origin.kind === 'backup' ? 'Restoring backup' : 'Creating instance',
    project,
    resources: { instances: names, ...(type === 'virtual-machine' ? {} : { containers: names }) },
  };
  const fail = async (error: unknown) => {
    if (origin.kind === 'backup') await dropUpload(services, origin.backup);
    return services.operations.start({
      ...operation,
      class: 'task',
      run: () => Promise.reject(toLxdError(error)),
    });
  };

  if (origin.kind === 'remote-image')
    return services.operations.start({
      ...operation,
      class: 'task',
      mayCancel: true,
      run: (running) => createFromRemote(context, request, name, origin.remote, running),
    });

  for (let attempt = 0; ; attempt++) {
    let choice: Choice;
    let creation: Creation;
    try {
      const planned = plan(context, request, name, origin);
      choice = await choose(context, request, planned);
      creation = settled(context, planned, choice);
    } catch (error) {
      return fail(error);
    }
    try {
      using held = choice;
      return await services.operations.start({
        ...operation,
        intent: (id, transaction) => intend(context, creation, held, id, transaction),
        run: (running) =>
          context.busy.queue({ project, name }, 'create', () => fill(context, creation, running)),
      });
    } catch (error) {
      // Another was faster: the name or the room is taken now, or the pool has changed. The plan finds out.
      const lost = toLxdError(error).code === 'precondition-failed';
      if (!lost || attempt >= maxAttempts) throw error;
    }
  }
}

/** Fetches the image first; from then on it is as with any other. */
async function createFromRemote(
  context: InstancesContext,
  request: CreateRequest,
  name: string,
  remote: RemoteImage,
  running: RunningOperation,
): Promise<void> {
  const { services, puller, busy } = context;
  const { project } = request;
  const { image } = await puller.pull(remote, asCache(services, project), running);
  for (let attempt = 0; ; attempt++) {
    const planned = plan(context, request, name, { kind: 'image', image });
    using choice = await choose(context, request, planned);
    const creation = settled(context, planned, choice);
    const transaction = services.records.transaction();
    intend(context, creation, choice, running.id, transaction);
    try {
      await transaction.commit({ signal: running.signal });
    } catch (error) {
      const lost = toLxdError(error).code === 'precondition-failed';
      if (!lost || attempt >= maxAttempts) throw error;
      continue;
    }
    await busy.queue({ project, name }, 'create', () => fill(context, creation, running));
    return;
  }
}

/** Record and placement; the pool and the room must still be those that were looked at. */
function intend(
  { services }: InstancesContext,
  { record }: Creation,
  choice: Choice,
  operation: string,
  transaction: Transaction,
): void {
  const { project, name } = record;
  const pool = rootDisk(expandIn(services, project, record).devices)?.[1]['pool'] ?? '';
  const pending = { kind: 'create' as const, operation, server: services.server };
  transaction
    .create('instances', [project, name], { ...record, pending })
    .create('placements', [project, name], choice.placement)
    .guard('pools', [pool], services.records.get('pools', pool)?.revision ?? 0);
  choice.stake(transaction);
}

function checkTarget({ services, placer }: InstancesContext, { target }: CreateRequest): void {
  if (target === undefined) return;
  if (services.records.list('members').length < 2)
    throw new LxdError('invalid', 'Target only allowed when clustered');
  placer.checkTarget(target);
}

/** Has the member make the files, and puts the outcome on record. */
async function make(
  context: InstancesContext,
  { record, member, source }: Creation,
  running: RunningOperation,
): Promise<void> {
  const { services } = context;
  const { project, name } = record;
  const options = {
    signal: running.signal,
    onProgress: (progress: Record<string, string>) => running.update(progress),
  };
  if (source.kind === 'migration') {
    await receiveMigrated(services, { record, member, ...source }, running, ({ snapshots }) =>
      recordReceived(services, record, snapshots),
    );
    return;
  }
  const agent = services.agents.get(member);
  let from: InstanceSource = { type: 'none' };
  if (source.kind === 'image') {
    await bringImage(services, project, source.image.fingerprint, member, options);
    from = { type: 'image', fingerprint: source.image.fingerprint };
  } else if (source.kind === 'copy') {
    from = { type: 'copy', ...copySource(services, source) };
  } else if (source.kind === 'backup') {
    from = { type: 'backup', ...source.backup.source };
  }
  const outcome =
    source.kind === 'copy' && memberOf(services, source.from.project, source.from.name) !== member
      ? await copyAcross(services, { record, member }, source, options)
      : await agent.createInstance(instanceSpec(services, record, member), from, options);
  const copied = source.kind === 'copy' ? source.snapshots : [];
  await settle(
    services,
    project,
    name,
    (value) => ({ ...value, config: withOutcome(value.config, outcome) }),
    (transaction) => {
      putCopied(transaction, record, copied);
      if (source.kind === 'image')
        noteUnpacked(context, transaction, { record, member, fingerprint: source.image.fingerprint });
      if (source.kind === 'backup') putReceived(transaction, record, source.backup.snapshots);
    },
  );
}

/** The effect: files on the member, then the outcome on record. A failure takes everything back. */
async function fill(context: InstancesContext, creation: Creation, running: RunningOperation): Promise<void> {
  const { services } = context;
  const { record, source } = creation;
  const { project, name } = record;
  try {
    await make(context, creation, running);
  } catch (error) {
    await takeBack(context, project, name);
    throw error;
  } finally {
    if (source.kind === 'backup') await dropUpload(services, source.backup);
  }
  services.events.lifecycle({
    action: 'instance-created',
    source: instanceUrl(project, name),
    project,
    context: {
      type: record.type,
      'storage-pool': rootDisk(expandIn(services, project, record).devices)?.[1]['pool'],
    },
  });
  for (const { name: snapshot } of source.kind === 'copy' ? source.snapshots : [])
    told(context, { project, name, snapshot }, 'created');
  if (source.kind === 'image') await touchImage(context, project, source.image.fingerprint, running.signal);
}

/** What was uploaded is of no use any more. */
const dropUpload = (services: Services, { member, source }: ImportedBackup): Promise<void> =>
  dropFile(services, { id: source.id, member, name: source.id, instance: '' });

/** What cannot be taken back now stays on record as pending, for recovery. */
async function takeBack({ services }: InstancesContext, project: string, name: string): Promise<void> {
  try {
    await removeInstance(services, project, name, AbortSignal.timeout(unwindTimeoutMs));
  } catch (error) {
    services.log.error('taking back a failed creation failed; it is tried again later', {
      instance: name,
      error: toLxdError(error).message,
    });
  }
}

async function touchImage(
  { services }: InstancesContext,
  project: string,
  fingerprint: string,
  signal: AbortSignal,
): Promise<void> {
  const lastUsedAt = services.clock.now().toISOString();
  try {
    await services.records.modify('images', [project, fingerprint], (image) => ({ ...image, lastUsedAt }), {
      signal,
    });
  } catch (error) {
    services.log.debug('the image was not marked as used', { fingerprint, error: toLxdError(error).message });
  }
}
