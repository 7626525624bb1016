import { LxdError } from '@lxd-ts/core';
import {
  Client,
  operationPath,
  progressText,
  unixEndpoint,
  waitForOperation,
  type Operation,
} from '@lxd-ts/client';
import type { Catalogue } from './command.ts';
import type { Io } from './io.ts';
import { Progress } from './progress.ts';

export interface GlobalFlags {
  project: string | undefined;
  quiet: boolean;
  verbose: boolean;
  debug: boolean;
}

/** Where the daemon keeps its socket. */
export const daemonDir = (env: Io['env']): string => env['LXD_TS_DIR'] || env['LXD_DIR'] || '/var/lib/lxd-ts';

/** What a handler works with. */
export class Context {
  readonly io: Io;
  readonly globals: GlobalFlags;
  /** For commands about commands. */
  readonly catalogue: Catalogue;
  #client: Client | undefined;

  constructor(io: Io, globals: GlobalFlags, catalogue: Catalogue) {
    this.io = io;
    this.globals = globals;
    this.catalogue = catalogue;
  }

  get client(): Client {
    const { io, globals } = this;
    const told = globals.debug || globals.verbose;
    this.#client ??= new Client({
      endpoint: unixEndpoint(`${daemonDir(io.env)}/unix.socket`),
      project: globals.project,
      ...(told
        ? { onRequest: (method, path, status) => io.stderr.write(`DEBUG ${method} ${path} ${status}\n`) }
        : {}),
    });
    return this.#client;
  }

  /** Said at once, unless `--quiet`: what a command does, before it does it. */
  say(text: string): void {
    if (!this.globals.quiet) this.io.stdout.write(`${text}\n`);
  }

  progress(label: string): Progress {
    return new Progress(this.io.stderr, this.io.stderrIsTty && !this.globals.quiet, label);
  }

  /** Waits for an operation, showing its progress; ctrl+c cancels it where it can be cancelled. */
  async wait(operation: Operation | undefined, label = ''): Promise<Operation | undefined> {
    if (!operation) return undefined;
    using progress = this.progress(label);
    const interrupted = new AbortController();
    const restore = this.io.onSignal('SIGINT', () => {
      const leave = (): void => {
        interrupted.abort(new LxdError('cancelled', `Interrupted; operation ${operation.id} goes on`));
      };
      this.client.change('DELETE', operationPath(operation)).catch(leave);
    });
    try {
      return await waitForOperation(this.client, operation, {
        signal: interrupted.signal,
        onProgress: progress.enabled
          ? (now) => {
              progress.update(progressText(now) ?? '');
            }
          : undefined,
      });
    } catch (error) {
      throw interrupted.signal.aborted ? interrupted.signal.reason : error;
    } finally {
      restore();
    }
  }

  /** A request that may start an operation, and its end. */
  async change(...request: Parameters<Client['change']>): Promise<Operation | undefined> {
    return this.wait(await this.client.change(...request));
  }

  close(): void {
    this.#client?.close();
  }
}
