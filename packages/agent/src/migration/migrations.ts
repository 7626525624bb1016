import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { isTrue, LxdError, parseSize, type InstanceSpec, type PoolSpec, type VolumeSpec } from '@lxd-ts/core';
import {
  messageChannel,
  type CallOptions,
  type MigrationStreams,
  type MigrationTickets,
  type ReceivedInstance,
  type ReceiveRequest,
  type SendRequest,
} from '@lxd-ts/rpc';
import { blockFile, snapshotsPath, type StoragePool, type VolumeRef, type VolumeUse } from '@lxd-ts/storage';
import { rootPool, type AgentContext } from '../context.ts';
import { volumeOf } from '../instance/paths.ts';
import { linkSnapshots } from '../instance/snapshots.ts';
import { linkVolume } from '../instance/volume.ts';
import { sendOutcome } from './control.ts';
import type { Transport } from './negotiate.ts';
import { hasSubvolumes, landingsOn } from './places.ts';
import { rangesOf, volumeKey } from './id-ranges.ts';
import { runSink, type SinkOptions } from './sink.ts';
import { unlessGivenUp } from './unless-given-up.ts';
import { runSource, type Streams } from './source.ts';
import { cloneTree, createSubvolume, deleteTree } from './subvolumes.ts';

const cleanupMs = 60_000;

/** What the volume is called in a stream of it, as by the peers. */
const sentName = '.migration-send';

function transportsOf(pool: PoolSpec, { block }: VolumeRef): [Transport, ...Transport[]] {
  const last = block ? 'blocks' : 'rsync';
  return hasSubvolumes(pool) ? ['btrfs', last] : [last];
}
/** Between members it costs more than the link would, where nobody says otherwise. */
const compresses = (pool: PoolSpec, { kind }: MigrationStreams): boolean =>
  isTrue(pool.config['rsync.compression'] ?? (kind === 'direct' ? 'false' : 'true'));

function limitOf({ config }: PoolSpec): number | undefined {
  const limit = config['rsync.bwlimit'];
  return limit ? parseSize(limit) || undefined : undefined;
}

/** What is sent or received. */
interface Subject {
  pool: PoolSpec;
  volume: VolumeRef;
  name: string;
}

const instance = (spec: InstanceSpec): Subject => ({
  pool: rootPool(spec),
  volume: volumeOf(spec),
  name: spec.name,
});
const custom = ({ pool, project, name, block }: VolumeSpec): Subject => ({
  pool,
  volume: { type: 'custom', project, name, ...(block ? { block: true } : {}) },
  name,
});

type Arrival = ReceiveRequest & Pick<SinkOptions, 'shifted' | 'checkIndex'>;

/** By streams of subvolumes nobody else would see that they are of another content type. */
const checkContent =
  ({ block }: VolumeSpec) =>
  (index: unknown): void => {
    const said = (index as { Volume?: { content_type?: unknown } } | null | undefined)?.Volume?.content_type;
    const wanted = block ? 'block' : 'filesystem';
    if (typeof said === 'string' && said !== wanted)
      throw new LxdError(
        'invalid',
        `The volume of the other server is of content type "${said}", not "${wanted}"`,
      );
  };

interface Opened extends Streams {
  streams: MigrationStreams;
}

/** Sends instances and custom volumes to other servers and members, and receives them. */
export class Migrations {
  readonly #context: AgentContext;
  /** Offered to another member, by token: both connections, once it has come. */
  readonly #offered = new Map<string, Promise<Duplex>>();

  constructor(context: AgentContext) {
    this.#context = context;
  }

  /** Good until it is used, or the call that asked is over for ten minutes. */
  offer(): MigrationTickets {
    const signal = AbortSignal.timeout(600_000);
    const one = () => {
      const { ticket, taken } = this.#context.bulk.offer({ signal });
      taken.catch(() => undefined);
      this.#offered.set(ticket.token, taken);
      signal.addEventListener('abort', () => this.#offered.delete(ticket.token), { once: true });
      return ticket;
    };
    return { control: one(), filesystem: one() };
  }

  async #open(streams: MigrationStreams, signal: AbortSignal): Promise<Streams> {
    if (streams.kind === 'relayed')
      return { control: messageChannel(streams.control), filesystem: messageChannel(streams.filesystem) };
    const open = async (ticket: MigrationTickets['control'], raw: boolean) => {
      const mine = this.#offered.get(ticket.token);
      this.#offered.delete(ticket.token);
      // The other end may be lost before it has come for what is its.
      const coming = mine ?? this.#context.bulk.take(ticket, { signal, raw });
      const stream = await unlessGivenUp(coming, signal);
      stream.on('error', () => undefined);
      return messageChannel(stream);
    };
    const both = [open(streams.tickets.control, false), open(streams.tickets.filesystem, true)] as const;
    try {
      const [control, filesystem] = await Promise.all(both);
      return { control, filesystem };
    } catch (error) {
      for (const one of both) one.then((channel) => channel.close()).catch(() => undefined);
      throw error;
    }
  }

  /** Whoever fails before it could say so hangs up: the other side would wait for it. */
  async #with<T>(
    streams: MigrationStreams,
    signal: AbortSignal,
    work: (opened: Streams) => Promise<T>,
  ): Promise<T> {
    const opened = await this.#open(streams, signal);
    try {
      return await work(opened);
    } catch (error) {
      for (const channel of [opened.filesystem, opened.control]) channel.close();
      throw error;
    }
  }

  send(
    spec: InstanceSpec,
    request: SendRequest,
    streams: MigrationStreams,
    options: CallOptions,
  ): Promise<void> {
    return this.#with(streams, options.signal, (opened) =>
      this.#send(instance(spec), request, { ...opened, streams }, options),
    );
  }

  receive(
    spec: InstanceSpec,
    request: ReceiveRequest,
    streams: MigrationStreams,
    options: CallOptions,
  ): Promise<ReceivedInstance> {
    // Of one that is there already the files become others.
    return this.#with(streams, options.signal, (opened) =>
      this.#context.files.without(spec, async () => {
        const { pool, received } = await this.#receive(
          instance(spec),
          request,
          { ...opened, streams },
          options,
        );
        await linkVolume(this.#context.dir, spec, pool.volumePath(volumeOf(spec)));
        await linkSnapshots(this.#context, pool, spec);
        if (request.confirm) await sendOutcome(opened.control, true);
        return received;
      }),
    );
  }

  sendVolume(
    volume: VolumeSpec,
    request: Omit<SendRequest, 'running'>,
    streams: MigrationStreams,
    options: CallOptions,
  ): Promise<void> {
    return this.#with(streams, options.signal, (opened) =>
      this.#send(custom(volume), { ...request, running: false }, { ...opened, streams }, options),
    );
  }

  receiveVolume(
    volume: VolumeSpec,
    { confirm, idmap, present }: { confirm: boolean; idmap: string } & Pick<ReceiveRequest, 'present'>,
    streams: MigrationStreams,
    options: CallOptions,
  ): Promise<Pick<ReceivedInstance, 'snapshots' | 'gone'>> {
    return this.#with(streams, options.signal, async (opened) => {
      const shifted = { key: volumeKey, volume: rangesOf(idmap, `"${volumeKey}"`) };
      const { received } = await this.#receive(
        custom(volume),
        { confirm, shifted, checkIndex: checkContent(volume), ...(present ? { present } : {}) },
        { ...opened, streams },
        options,
      );
      if (confirm) await sendOutcome(opened.control, true);
      return { snapshots: received.snapshots, gone: received.gone };
    });
  }

  async #send(
    { pool: poolSpec, volume, name }: Subject,
    request: SendRequest,
    { streams, ...opened }: Opened,
    { signal, onProgress }: CallOptions,
  ): Promise<void> {
    const { host, liblxc, pools } = this.#context;
    const pool = await pools.open(poolSpec, { signal });
    const snapshots = snapshotsPath(pool.path, volume);
    const sent: VolumeRef =
      request.snapshot === undefined ? volume : { ...volume, snapshot: request.snapshot };
    const volumeSize = volume.block ? await pool.blockSize(sent, { signal }) : undefined;
    const send = (path: string, use: (of: VolumeRef) => Promise<VolumeUse>) =>
      runSource(
        {
          host,
          setReceived: (...received) => liblxc.setReceived(...received),
          name,
          transports: transportsOf(poolSpec, volume),
          volumeSize,
          volume: path,
          snapshots: request.snapshots.map((one) => ({ ...one, path: join(snapshots, one.name) })),
          use: (snapshot) => use(snapshot === undefined ? sent : { ...volume, snapshot }),
          running: request.running,
          index: request.index,
          compress: compresses(poolSpec, streams),
          bytesPerSecond: limitOf(poolSpec),
          signal,
          onProgress,
        },
        opened,
      );
    const path = pool.volumePath(sent);
    const use = (of: VolumeRef) => pool.useVolume(of, { signal, readonly: true });
    if (!hasSubvolumes(poolSpec)) return send(path, use);
    // What is sent stands still, and is the sender's to make read-only.
    const staging = join(pool.volumePath(volume), '..', `.partial-send-${this.#context.randomId()}`);
    try {
      await createSubvolume(host, staging, { signal });
      await cloneTree(host, path, join(staging, sentName), { signal });
      const copy = join(staging, sentName);
      const image = volume.block ? { image: blockFile(copy) } : {};
      const copied = { path: copy, mapped: false, ...image, [Symbol.asyncDispose]: () => Promise.resolve() };
      await send(copy, (of) => (of === sent ? Promise.resolve(copied) : use(of)));
    } finally {
      await deleteTree(host, staging, { signal: AbortSignal.timeout(cleanupMs) });
    }
  }

  async #receive(
    { pool: poolSpec, volume, name }: Subject,
    request: Arrival,
    { streams, ...opened }: Opened,
    { signal, onProgress }: CallOptions,
  ): Promise<{ pool: StoragePool; received: ReceivedInstance }> {
    const { host, liblxc, pools } = this.#context;
    const pool = await pools.open(poolSpec, { signal });
    if (request.present === undefined && (await pool.exists(volume)))
      throw new LxdError('conflict', `There is a volume of the name "${name}" already`);
    const base: VolumeRef = { type: 'image', project: 'default', name: request.baseImage ?? '' };
    const hasBase = request.baseImage !== undefined && (await pool.exists(base));
    const { snapshots, gone, index } = await runSink(
      {
        host,
        setReceived: (...received) => liblxc.setReceived(...received),
        name,
        transports: transportsOf(poolSpec, volume),
        ...(request.checkIndex ? { checkIndex: request.checkIndex } : {}),
        landings: landingsOn(this.#context, [poolSpec, pool], volume, base),
        present: request.present,
        ...(request.shifted ? { shifted: request.shifted } : {}),
        unshift: (path, ranges, until) => liblxc.shiftOwners(path, ranges, { signal: until }),
        hasBase,
        compress: compresses(poolSpec, streams),
        signal,
        onProgress,
      },
      opened,
    );
    return { pool, received: { snapshots, gone, index: index ?? null } };
  }
}
