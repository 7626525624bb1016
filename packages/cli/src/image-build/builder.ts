import { randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError, toLxdError } from '@lxd-ts/core';
import {
  exec,
  operationPath,
  progressText,
  waitForOperation,
  type Client,
  type ExitStatus,
  type Image,
  type Instance,
  type Operation,
  type RequestOptions,
} from '@lxd-ts/client';
import { apiPath } from '../base/names.ts';
import type { Context } from '../base/context.ts';
import { fingerprintOf } from '../commands/image/upload.ts';
import { withImage, type FoundImage } from '../remotes/image-source.ts';
import type { BuilderNetwork } from './builder-network.ts';
import { giveNameServer } from './name-server.ts';

/** How long it stays when nobody moves its end on. */
const leaseMs = 10 * 60_000;
const renewMs = 60_000;
/** The same while an image is packed. */
const publishMs = 3 * 3_600_000;
/** To get rid of it. */
const endMs = 60_000;

/** As `/1.0/instances/NAME/metadata` tells it. */
export interface BuilderMetadata {
  architecture: string;
  creation_date: number;
  expiry_date: number;
  properties: Record<string, string>;
  templates: Record<string, TemplateEntry> | null;
}

export interface TemplateEntry {
  when: readonly string[];
  create_only: boolean;
  template: string;
  properties: Readonly<Record<string, string>>;
}

export interface BuilderOptions {
  /** The server's pool for its root. */
  pool: string;
  network: BuilderNetwork | undefined;
  /** Unset: as much as the pool has. */
  disk?: string | undefined;
  memory: string;
  cpu?: string | undefined;
  processes: string;
  signal: AbortSignal;
}

export interface BuilderCommand {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  uid: number;
  gid: number;
  cwd: string;
  stdout: Writable;
  stderr: Writable;
}

/** Waits, and buries what is left to it. Tabs: liblxc splits at spaces, and knows no quotes. */
const init = '/bin/sh -c while\t:;do\tsleep\t3600&wait;done';

/**
 * The image's own init is not started: what it does at a first start (ids, seeds, logs, units) is other every time, and
 * would be in the image. /run is new in every step, and the name tells nothing.
 */
const configuration = (network: BuilderNetwork | undefined): string =>
  [
    `lxc.init.cmd = ${init}`,
    'lxc.uts.name = localhost',
    'lxc.mount.entry = none run tmpfs rw,nosuid,nodev,mode=0755,create=dir 0 0',
    ...(network
      ? [
          `lxc.net.0.ipv4.address = ${network.address}/${network.prefix}`,
          `lxc.net.0.ipv4.gateway = ${network.gateway}`,
        ]
      : []),
  ].join('\n');

/**
 * The container in which an image is made: unprivileged, bounded, with a random name. It is deleted when it is disposed of,
 * and by the server when this program is not heard of any more: it moves `lease.expires_at` on while it lives.
 */
export class Builder implements AsyncDisposable {
  readonly name = `build-${randomBytes(4).toString('hex')}`;
  readonly #context: Context;
  readonly #options: BuilderOptions;
  /** By how much the server's clock is ahead of ours. */
  #ahead = 0;
  #renewal: NodeJS.Timeout | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #metadata: BuilderMetadata | undefined;
  #hold = leaseMs;

  private constructor(context: Context, options: BuilderOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Made of an image, at rest. */
  static async create(context: Context, image: FoundImage, options: BuilderOptions): Promise<Builder> {
    const builder = new Builder(context, options);
    try {
      await builder.#create(image);
      return builder;
    } catch (error) {
      await builder[Symbol.asyncDispose]();
      throw error;
    }
  }

  get client(): Client {
    return this.#context.client;
  }

  get #path(): string {
    return apiPath('instances', this.name);
  }

  #leaseEnd(): string {
    return new Date(this.#context.io.now().getTime() + this.#ahead + this.#hold).toISOString();
  }

  async #create(image: FoundImage): Promise<void> {
    const { pool, disk, memory, cpu, processes, signal } = this.#options;
    const response = await this.client.raw('GET', '/1.0', { signal });
    await text(response);
    const theirs = Date.parse(response.headers.date ?? '');
    if (!Number.isNaN(theirs)) this.#ahead = theirs - this.#context.io.now().getTime();
    const body = {
      name: this.name,
      description: 'Builds an image; goes by itself when its builder is not heard of any more',
      profiles: [],
      config: {
        'lease.expires_at': this.#leaseEnd(),
        'limits.memory': memory,
        'limits.processes': processes,
        'limits.cpu.priority': '5',
        ...(cpu === undefined ? {} : { 'limits.cpu': cpu }),
        'security.devlxd': 'false',
      },
      devices: { root: { type: 'disk', path: '/', pool, ...(disk === undefined ? {} : { size: disk }) } },
    };
    await withImage(this.#context, image, (source) =>
      this.#change('POST', '/1.0/instances', { body: { ...body, source } }, 'Retrieving image'),
    );
    this.#renewal = setInterval(() => void this.#renew().catch(() => undefined), renewMs);
    this.#renewal.unref();
    this.#metadata = await this.client.get<BuilderMetadata>(`${this.#path}/metadata`, { signal });
  }

  #renew(): Promise<unknown> {
    const { signal } = this.#options;
    return this.#inTurn(() =>
      this.client.change('PATCH', this.#path, {
        body: { config: { 'lease.expires_at': this.#leaseEnd() } },
        signal,
      }),
    );
  }

  /** A request, and the end of its operation. */
  async #change(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    options: RequestOptions = {},
    label = '',
    signal = this.#options.signal,
    onStart?: (operation: Operation) => void,
  ): Promise<Operation | undefined> {
    const operation = await this.client.change(method, path, { ...options, signal });
    if (!operation) return undefined;
    onStart?.(operation);
    using progress = this.#context.progress(label);
    try {
      return await waitForOperation(this.client, operation, {
        signal,
        onProgress: progress.enabled
          ? (now) => {
              progress.update(progressText(now) ?? '');
            }
          : undefined,
      });
    } catch (error) {
      // Nobody waits for it any more.
      if (signal.aborted) await this.client.change('DELETE', operationPath(operation)).catch(() => undefined);
      throw signal.aborted ? signal.reason : error;
    }
  }

  /** One change at a time: the server refuses what comes while another is under way. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** What the image says of itself, with its templates. */
  get metadata(): BuilderMetadata {
    if (!this.#metadata) throw new LxdError('internal', 'The builder was not made');
    return this.#metadata;
  }

  setMetadata(metadata: BuilderMetadata): Promise<unknown> {
    const { signal } = this.#options;
    return this.client.change('PUT', `${this.#path}/metadata`, { body: metadata, signal });
  }

  /** Runs it as long as the work takes. @param network whether it may be reached */
  async running<T>(network: boolean, work: () => Promise<T>): Promise<T> {
    const { signal, network: reached } = this.#options;
    const used = network ? reached : undefined;
    // Its templates are for those that are made of the image, which this one is not.
    await this.setMetadata({ ...this.metadata, templates: {} });
    const nic = used && { type: 'nic', name: 'eth0', network: used.network, 'ipv4.address': used.address };
    const body = { config: { 'raw.lxc': configuration(used) }, devices: { eth0: nic ?? { type: 'none' } } };
    await this.#inTurn(() => this.client.change('PATCH', this.#path, { body, signal }));
    await this.#inTurn(() => this.#state('start'));
    const names = used && (await giveNameServer(this.client, this.name, used.gateway, signal));
    const result = await work();
    await names?.();
    await this.#inTurn(() => this.#state('stop'));
    return result;
  }

  #state(action: string, signal?: AbortSignal): Promise<unknown> {
    const body = { action, force: true, timeout: 60 };
    return this.#change('PUT', `${this.#path}/state`, { body }, '', signal);
  }

  /** Runs a command to its end; tells how it ended. */
  async run({ argv, env, uid, gid, cwd, stdout, stderr }: BuilderCommand): Promise<ExitStatus> {
    const { signal } = this.#options;
    const request = { command: argv, environment: env, user: uid, group: gid, cwd, interactive: false };
    try {
      const session = await exec(this.client, this.name, request, { stdout, stderr }, { signal });
      return await session.exit;
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  }

  /**
   * Makes an image of what it has become. @returns its fingerprint
   * @param request beside the source
   * isNew: false: there was an image of the same bytes already
   */
  async publish(
    request: Readonly<Record<string, unknown>>,
    metadata = this.metadata,
  ): Promise<{ fingerprint: string; isNew: boolean }> {
    const { signal } = this.#options;
    await this.setMetadata(metadata);
    // Nothing can be moved on meanwhile.
    this.#hold = publishMs;
    await this.#renew();
    const body = { ...request, source: { type: 'instance', name: this.name } };
    let started: Operation | undefined;
    try {
      const ended = await this.#inTurn(() =>
        this.#change('POST', '/1.0/images', { body }, 'Packing the image', signal, (operation) => {
          started = operation;
        }),
      );
      return { fingerprint: fingerprintOf(ended), isNew: true };
    } catch (error) {
      const fingerprint = started && (await this.#existing(started));
      if (fingerprint === undefined || signal.aborted) throw error;
      return { fingerprint, isNew: false };
    } finally {
      this.#hold = leaseMs;
    }
  }

  /** The image that an operation that failed would have made, where it is there. */
  async #existing(operation: Operation): Promise<string | undefined> {
    const { signal } = this.#options;
    try {
      const { metadata } = await this.client.get<Operation>(operationPath(operation), { signal });
      const fingerprint = metadata?.['fingerprint'];
      if (typeof fingerprint !== 'string') return undefined;
      return (await this.client.get<Image>(apiPath('images', fingerprint), { signal })).fingerprint;
    } catch {
      return undefined;
    }
  }

  /** Whatever state it is in. What cannot be done now is done by the server when the lease is over. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#renewal);
    const signal = AbortSignal.timeout(endMs);
    for (let tries = 0; tries < 5; tries++) {
      try {
        const { status } = await this.client.get<Instance>(this.#path, { signal });
        if (status !== 'Stopped') await this.#state('stop', signal);
        await this.#change('DELETE', this.#path, {}, '', signal);
        return;
      } catch (error) {
        const { code } = toLxdError(error);
        if (code === 'not-found') return;
        if (signal.aborted || code === 'unavailable') break;
        await sleep(200);
      }
    }
    this.#context.io.stderr.write(
      `Warning: the builder "${this.name}" could not be deleted; the server does that in ${leaseMs / 60_000} minutes\n`,
    );
  }
}
