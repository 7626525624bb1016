import { createHash, timingSafeEqual } from 'node:crypto';
import { LxdError, toLxdError } from '@lxd-ts/core';
import type { OperationRecord, Records } from '@lxd-ts/state';
import type { OperationRequest, Operations, OperationView } from './operations.ts';

/** How long a finished operation can still be asked for, as in LXD. */
const keepFinishedMs = 5_000;

const statusCodes: Readonly<Record<OperationRecord['status'], number>> = {
  Pending: 105,
  Running: 103,
  Cancelling: 104,
  Success: 200,
  Failure: 400,
  Cancelled: 401,
};

export interface OperationsOptions {
  records: Records;
  /** Name of this server: who runs what is on record. */
  server: string;
  /** Clients are shown where an operation runs; `none` where there is but one member, as in LXD. */
  clustered?: boolean;
  clock: { now(): Date };
  uuid(): string;
  /** Hears of failures that nobody waits for. */
  onError: (error: Error) => void;
}

interface Live {
  record: OperationRecord;
  request: OperationRequest;
  controller: AbortController;
  finished: PromiseWithResolvers<undefined>;
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

const isFinal = ({ status }: OperationRecord): boolean => statusCodes[status] >= 200;

/** Kind and names → REST paths; names with a slash are paths already. */
function resourcePaths(resources: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(resources).map(([kind, names]) => [
      kind,
      names.map((name) => (name.startsWith('/') ? name : `/1.0/${kind.replaceAll('_', '-')}/${name}`)),
    ]),
  );
}

function viewOf(record: OperationRecord, location: string): OperationView {
  return {
    id: record.id,
    class: record.class,
    description: record.description,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    status: record.status,
    status_code: statusCodes[record.status],
    resources: Object.keys(record.resources).length > 0 ? record.resources : null,
    metadata: record.metadata,
    may_cancel: record.mayCancel,
    err: record.error,
    location,
  };
}

class Engine implements Operations, AsyncDisposable {
  readonly #options: OperationsOptions;
  readonly #live = new Map<string, Live>();
  readonly #starting = new Set<string>();
  readonly #listeners = new Set<(operation: OperationView, project: string) => void>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #closing = new AbortController();
  #draining = false;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  #view(record: OperationRecord): OperationView {
    return viewOf(record, this.#options.clustered ? record.server : 'none');
  }

  #now(): string {
    return this.#options.clock.now().toISOString();
  }

  async start(request: OperationRequest): Promise<OperationView> {
    if (this.#draining) throw new LxdError('unavailable', 'The daemon is shutting down');
    const now = this.#now();
    const record: OperationRecord = {
      id: this.#options.uuid(),
      class: request.class,
      description: request.description,
      project: request.project,
      status: 'Running',
      createdAt: now,
      updatedAt: now,
      resources: resourcePaths(request.resources),
      metadata: request.metadata ?? null,
      mayCancel: request.mayCancel ?? false,
      error: '',
      server: this.#options.server,
    };
    if (request.class === 'task' || request.intent) {
      const transaction = this.#options.records.transaction();
      if (request.class === 'task') transaction.create('operations', [record.id], record);
      request.intent?.(record.id, transaction);
      this.#starting.add(record.id);
      try {
        await transaction.commit({ signal: this.#closing.signal });
      } catch (error) {
        this.#starting.delete(record.id);
        throw error;
      }
    }
    const live: Live = {
      record,
      request,
      controller: new AbortController(),
      finished: Promise.withResolvers(),
    };
    this.#live.set(record.id, live);
    this.#starting.delete(record.id);
    this.#tell({ ...record, status: 'Pending' });
    this.#tell(record);
    void this.#run(live);
    return this.#view(record);
  }

  async #run(live: Live): Promise<void> {
    const { request, controller } = live;
    try {
      const result = await request.run({
        id: live.record.id,
        signal: controller.signal,
        update: (metadata) => this.#change(live, { metadata: { ...live.record.metadata, ...metadata } }),
      });
      const metadata = result ? { ...live.record.metadata, ...result } : live.record.metadata;
      this.#finish(live, { status: 'Success', metadata });
    } catch (error) {
      const cancelled = controller.signal.aborted && live.record.status === 'Cancelling';
      const message = toLxdError(error).message;
      this.#finish(live, { status: cancelled ? 'Cancelled' : 'Failure', error: message });
    }
  }

  #change(live: Live, change: Partial<OperationRecord>): void {
    live.record = { ...live.record, ...change, updatedAt: this.#now() };
    this.#tell(live.record);
  }

  #finish(live: Live, change: Partial<OperationRecord>): void {
    const { id } = live.record;
    this.#change(live, { ...change, mayCancel: false });
    live.finished.resolve(undefined);
    if (live.record.class === 'task') void this.#forget(id);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#live.delete(id);
    }, keepFinishedMs);
    timer.unref();
    this.#timers.add(timer);
  }

  /** What it did is in the records of what it did it to; its own is only for whoever finds it unfinished. */
  async #forget(id: string): Promise<void> {
    try {
      const signal = AbortSignal.timeout(10_000);
      await this.#options.records.transaction().remove('operations', [id]).commit({ signal });
    } catch (error) {
      this.#options.onError(toLxdError(error));
    }
  }

  #tell(record: OperationRecord): void {
    const view = this.#view(record);
    for (const listener of this.#listeners) listener(view, record.project);
  }

  get(id: string): OperationView | undefined {
    const record = this.#live.get(id)?.record ?? this.#options.records.get('operations', id)?.value;
    return record && this.#view(record);
  }

  isRunning(id: string): boolean {
    const live = this.#live.get(id);
    return this.#starting.has(id) || (live !== undefined && !isFinal(live.record));
  }

  isLive(id: string): boolean {
    return this.#live.has(id);
  }

  list(project?: string): OperationView[] {
    const mine = [...this.#live.values()].map(({ record }) => record);
    const others = this.#options.records
      .list('operations')
      .map(({ value }) => value)
      .filter(({ id }) => !this.#live.has(id));
    return [...mine, ...others]
      .filter((record) => project === undefined || record.project === project)
      .map((record) => this.#view(record));
  }

  #found(id: string): Live {
    const live = this.#live.get(id);
    if (!live) throw new LxdError('not-found', 'Operation not found');
    return live;
  }

  async wait(id: string, timeoutMs: number, { signal }: { signal: AbortSignal }): Promise<OperationView> {
    const live = this.#found(id);
    if (isFinal(live.record)) return this.#view(live.record);
    signal.throwIfAborted();
    const over = Promise.withResolvers<undefined>();
    const onAbort = () => over.reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = timeoutMs < 0 ? undefined : setTimeout(() => over.resolve(undefined), timeoutMs);
    try {
      await Promise.race([live.finished.promise, over.promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
    return this.#view(live.record);
  }

  cancel(id: string): Promise<void> {
    const live = this.#found(id);
    const refuse = (message: string) => Promise.reject(new LxdError('invalid', message));
    if (isFinal(live.record)) return refuse('Only running operations can be cancelled');
    if (!live.record.mayCancel) return refuse("This operation can't be cancelled");
    this.#change(live, { status: 'Cancelling', mayCancel: false });
    live.controller.abort(new LxdError('cancelled', 'The operation was cancelled'));
    return Promise.resolve();
  }

  socket(id: string, secret: string): (socket: unknown) => void {
    const { request } = this.#found(id);
    if (request.class !== 'websocket')
      throw new LxdError('invalid', "This operation doesn't have a websocket");
    const given = hashOf(secret);
    // How long it takes tells nothing of how much of it was right.
    const handler = Object.entries(request.sockets ?? {}).find(([known]) =>
      timingSafeEqual(hashOf(known), given),
    )?.[1];
    if (!handler) throw new LxdError('forbidden', 'not authorized');
    return handler;
  }

  async drain({ signal }: { signal: AbortSignal }): Promise<void> {
    this.#draining = true;
    const running = [...this.#live.values()].filter(
      ({ record }) => record.class === 'task' && !isFinal(record),
    );
    for (const { record } of running) await this.wait(record.id, -1, { signal });
  }

  onChange(listener: (operation: OperationView, project: string) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Gives up what runs, and waits until it has unwound. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#draining = true;
    this.#closing.abort(new LxdError('unavailable', 'The daemon is shutting down'));
    const running = [...this.#live.values()].filter(({ record }) => !isFinal(record));
    for (const { controller } of running) controller.abort(this.#closing.signal.reason);
    await Promise.all(running.map(({ finished }) => finished.promise));
    for (const timer of this.#timers) clearTimeout(timer);
  }
}

/** The operations of this server. Those of an earlier run of it are over: nobody works on them any more. */
export async function openOperations(options: OperationsOptions): Promise<Operations & AsyncDisposable> {
  const { records, server } = options;
  const left = records.list('operations').filter(({ value }) => value.server === server);
  for (let at = 0; at < left.length; at += 100) {
    const transaction = records.transaction();
    for (const { value, revision } of left.slice(at, at + 100))
      transaction.delete('operations', [value.id], revision);
    await transaction.commit({ signal: AbortSignal.timeout(30_000) });
  }
  return new Engine(options);
}
