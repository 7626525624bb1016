import type { Duplex } from 'node:stream';
import { abortable, LxdError } from '@lxd-ts/core';
import {
  findInstance,
  instanceUrl,
  isUp,
  memberOf,
  statusOf,
  type InstancesContext,
} from '../instances/context.ts';
import { instanceSpec } from '../instances/spec.ts';
import { FileSessions, type Lease } from './sessions.ts';
import type { SftpClient } from '@lxd-ts/rpc';

type Ref = Readonly<{ project: string; name: string }>;

const openTimeoutMs = 60_000;

/** Files of instances, wherever these are. */
export class FilesService implements Disposable {
  readonly #context: InstancesContext;
  readonly #sessions = new FileSessions();

  constructor(context: InstancesContext) {
    this.#context = context;
  }

  /** @throws LxdError `not-found`, `invalid` */
  check({ project, name }: Ref): void {
    const { services } = this.#context;
    const { pending } = findInstance(services, project, name).value;
    // What is put into the files of one that is on its way elsewhere could stay behind.
    const away = pending?.kind === 'move' && !isUp(statusOf(services, project, name));
    if (away || pending?.kind === 'create')
      throw new LxdError('invalid', `Instance is busy running a "${pending.kind}" operation`);
  }

  /** SFTP for one client, until either side ends it. @throws LxdError `not-found`, `invalid`, `unavailable` */
  open(ref: Ref, signal: AbortSignal): Promise<Duplex> {
    const { services } = this.#context;
    this.check(ref);
    const { value } = findInstance(services, ref.project, ref.name);
    const member = memberOf(services, ref.project, ref.name);
    return services.agents.get(member).files(instanceSpec(services, value, member), { signal });
  }

  /** A client for a short time, which others may use too. When the signal is aborted, it is not used again. */
  async lease(ref: Ref, signal: AbortSignal): Promise<Lease> {
    this.check(ref);
    const key = `${ref.project}/${ref.name}`;
    const lease = await this.#sessions.acquire(key, () => this.open(ref, AbortSignal.timeout(openTimeoutMs)));
    // Who goes away does not wait for what may hang in a filesystem of the instance's own.
    if (signal.aborted) lease.abandon();
    signal.addEventListener('abort', lease.abandon, { once: true });
    return lease;
  }

  /** Does one thing with the files of an instance. */
  async with<T>(ref: Ref, signal: AbortSignal, work: (client: SftpClient) => Promise<T>): Promise<T> {
    using lease = await this.lease(ref, signal);
    return await abortable(work(lease.client), signal);
  }

  tell(action: 'retrieved' | 'pushed' | 'deleted', ref: Ref, path: string): void {
    this.#context.services.events.lifecycle({
      action: `instance-file-${action}`,
      source: instanceUrl(ref.project, ref.name),
      project: ref.project,
      context: { path },
    });
  }

  [Symbol.dispose](): void {
    this.#sessions[Symbol.dispose]();
  }
}
