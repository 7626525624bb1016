import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lxdTsd } from './daemon.ts';
import { Rest } from './rest.ts';

/** lxd-tsd in the machine's own namespaces, so that another can take over after it. */
export class HostDaemon {
  readonly dir: string;
  #child: ChildProcess | undefined;
  #rest: Rest | undefined;

  readonly #flags: readonly string[];

  /** @param flags of the daemon, beside its directory */
  constructor(dir: string, ...flags: string[]) {
    this.dir = dir;
    this.#flags = flags;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get rest(): Rest {
    if (!this.#rest) throw new Error('the daemon was not started');
    return this.#rest;
  }

  get isOver(): boolean {
    return this.#child !== undefined && (this.#child.exitCode !== null || this.#child.signalCode !== null);
  }

  /** Starts it and waits until it is ready. */
  async start(): Promise<void> {
    const log = `${this.dir}.log`;
    const argv = ['--dir', this.dir, '--debug', '--logfile', log, ...this.#flags];
    const child = spawn(lxdTsd, argv, { stdio: 'ignore', env: process.env });
    // Tests that failed before they ended it end all the same.
    child.unref();
    this.#child = child;
    this.#rest = new Rest(join(this.dir, 'unix.socket'));
    for (let tries = 0; tries < 600 && child.exitCode === null; tries++) {
      const answer = await this.#rest.send('GET', '/internal/ready').catch(() => undefined);
      if (answer?.status === 200) return;
      await sleep(50);
    }
    throw new Error(`lxd-tsd is not ready: ${readFileSync(log, 'utf8').slice(-2_000)}`);
  }

  /** Ends it by a signal and waits until it is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || this.isOver) return;
    this.#rest?.close();
    const gone = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await gone;
  }
}
