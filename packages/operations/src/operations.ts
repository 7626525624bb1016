import type { Transaction } from '@lxd-ts/state';

/** LXD's operation, as its REST API shows it. */
export interface OperationView {
  id: string;
  class: 'task' | 'websocket' | 'token';
  description: string;
  created_at: string;
  updated_at: string;
  status: string;
  status_code: number;
  resources: Record<string, string[]> | null;
  metadata: Record<string, unknown> | null;
  may_cancel: boolean;
  err: string;
  location: string;
}

/** A running operation, seen from the code that runs in it. */
export interface RunningOperation {
  id: string;
  /** Aborted when it is cancelled or the daemon ends. */
  signal: AbortSignal;
  /** Merged into `metadata`; watchers hear of it. Not stored until the end: progress never goes through etcd. */
  update(metadata: Record<string, unknown>): void;
}

export interface OperationRequest {
  class: 'task' | 'websocket' | 'token';
  /** LXD's words, e.g. `Starting instance`. */
  description: string;
  project: string;
  /** Kind (`instances`, `images`, …) → names; the REST paths are made from them. */
  resources: Record<string, string[]>;
  metadata?: Record<string, unknown>;
  mayCancel?: boolean;
  /**
   * Only for `websocket`: secret → what to do with the connected socket (a byte stream; `onControl` style framing is the
   * server's). Kept in memory: such an operation ends with its process.
   */
  sockets?: Record<string, (socket: unknown) => void>;
  /** Committed before it runs, in the same transaction as the operation's record where it has one: the intent (`pending`) of what `run` does. */
  intent?: (operationId: string, transaction: Transaction) => void;
  /** The work. Its result is merged into `metadata`; a throw is the operation's failure. */
  run(operation: RunningOperation): Promise<Record<string, unknown> | void>;
}

export interface Operations {
  /** Stores it (with its intent), then runs it; resolves when it is stored. */
  start(request: OperationRequest): Promise<OperationView>;
  get(id: string): OperationView | undefined;
  /** Whether this server is at it: from before its intent is on record until it is over. */
  isRunning(id: string): boolean;
  /** Whether it runs on this server, or did a moment ago. */
  isLive(id: string): boolean;
  list(project?: string): OperationView[];
  /** Resolves when it is over or the time has passed. @param timeoutMs -1: for ever */
  wait(id: string, timeoutMs: number, options: { signal: AbortSignal }): Promise<OperationView>;
  /** @throws LxdError `invalid` when it cannot be cancelled */
  cancel(id: string): Promise<void>;
  /** The handler for a secret of a websocket operation. @throws LxdError `not-found`, `forbidden` */
  socket(id: string, secret: string): (socket: unknown) => void;
  /** Refuses new ones from now on, and resolves when no task runs any more; open websockets are not waited for. */
  drain(options: { signal: AbortSignal }): Promise<void>;
  /** Hears of every new or changed operation. */
  onChange(listener: (operation: OperationView, project: string) => void): Disposable;
}
