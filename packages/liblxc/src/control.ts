import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { LxdError } from '@lxd-ts/core';

const internal = (why: string) => new LxdError('internal', why);

/** The daemon's side of the conversation on descriptor 3 of the helper: native/control.c. */
export class Control {
  readonly #socket: Socket;
  readonly #attached = Promise.withResolvers<number>();
  readonly #exited = Promise.withResolvers<number>();
  #rest = '';

  constructor(child: ChildProcess) {
    this.#socket = child.stdio[3] as Socket;
    this.#attached.promise.catch(() => undefined);
    this.#exited.promise.catch(() => undefined);
    this.#socket.setEncoding('utf8');
    this.#socket.on('data', (text: string) => this.#receive(text));
    this.#socket.on('error', () => undefined); // followed by 'close'
    child.once('error', (error) =>
      this.#fail(internal(`The runtime helper could not be started: ${error.message}`)),
    );
    // All that it said has been read by then; an 'error' of the child tells more and comes in the same turn.
    this.#socket.once('close', () => {
      setImmediate(() => this.#fail(internal('The runtime helper ended before the command did')));
    });
  }

  /** Pid on the host, once the command is in the container. */
  get attached(): Promise<number> {
    return this.#attached.promise;
  }

  get exited(): Promise<number> {
    return this.#exited.promise;
  }

  write(data: string | Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(data);
  }

  /** Ends the helper; a command that it has started goes on. */
  close(): void {
    this.#socket.destroy();
  }

  /** Whatever has been started is killed, and what is still on its way into the container ends there, unheard. */
  callOff(reason: unknown): void {
    this.write('signal 9\n');
    this.#socket.destroySoon();
    this.#fail(reason);
  }

  #receive(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [verb, ...words] = line.split(' ');
      if (verb === 'pid') this.#attached.resolve(Number(words[0]));
      else if (verb === 'exit') this.#exited.resolve(Number(words[0]));
      else if (verb === 'error') this.#fail(internal(words.join(' ')));
    }
  }

  #fail(error: unknown): void {
    this.#attached.reject(error);
    this.#exited.reject(error);
  }
}
