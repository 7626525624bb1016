import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ticksPerSecond = 100;

/** A process of the simulation, and what it costs. */
export class Child implements AsyncDisposable {
  readonly #process: ChildProcess;

  constructor(file: string, argument: unknown) {
    this.#process = fork(join(import.meta.dirname, file), [JSON.stringify(argument)], {
      execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** The next thing it says. */
  async heard<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error('a process of the simulation ended'));
      this.#process.once('exit', onExit);
      this.#process.once('message', (message) => {
        this.#process.off('exit', onExit);
        resolve(message as T);
      });
    });
  }

  ask<T>(question: string): Promise<T> {
    const answer = this.heard<T>();
    this.#process.send(question);
    return answer;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise((done) => this.#process.once('exit', done));
    this.#process.kill('SIGKILL');
    await gone;
  }
}

/** CPU that a process has used, in milliseconds. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1000;
}

/** Resident memory of a process, in bytes. */
export const rssOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
