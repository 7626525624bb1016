import { LxdError } from '@lxd-ts/core';
import { operationPath, progressText, waitForOperation, type Client, type Operation } from '@lxd-ts/client';
import type { Io } from './io.ts';
import type { Progress } from './progress.ts';
import type { GlobalFlags, Shell } from './shell.ts';

/** One server, and what it takes to work with it. */
export class Context {
  readonly shell: Shell;
  /** The name of the remote. */
  readonly remote: string;
  readonly client: Client;

  constructor(shell: Shell, remote: string, client: Client) {
    this.shell = shell;
    this.remote = remote;
    this.client = client;
  }

  get io(): Io {
    return this.shell.io;
  }

  get globals(): GlobalFlags {
    return this.shell.globals;
  }

  say(text: string): void {
    this.shell.say(text);
  }

  progress(label: string): Progress {
    return this.shell.progress(label);
  }

  /** The name of something on this same server, for commands whose first word has named the server. */
  async name(text: string | undefined, what: string): Promise<string> {
    const [remote, name] = await this.shell.split(text ?? '');
    if (remote !== undefined && remote !== this.remote)
      throw new LxdError('invalid', `The ${what} must be on the same server: "${this.remote}"`);
    if (name === '') throw new LxdError('invalid', `Missing ${what} name`);
    return name;
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
}
