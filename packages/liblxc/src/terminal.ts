import type { ChildProcess } from 'node:child_process';
import { Duplex } from 'node:stream';
import { LxdError } from '@lxd-ts/core';

/** Stdin and stdout of a helper as one stream. Each side ends by itself, and what was written to a dead one never costs what can be read. */
export function joinTerminal(child: ChildProcess): Duplex {
  const { stdin: input, stdout: output } = child;
  if (!input || !output) throw new LxdError('internal', 'The runtime helper has no terminal');
  let waiting: (() => void) | undefined;
  const goOn = () => {
    const done = waiting;
    waiting = undefined;
    done?.();
  };
  const terminal = new Duplex({
    allowHalfOpen: true,
    read: () => void output.resume(),
    write: (data: Buffer, _encoding, done) => {
      waiting = done;
      // A terminal whose command has ended swallows what is typed.
      if (input.destroyed || input.write(data)) goOn();
    },
    final: (done) => {
      input.end();
      done();
    },
    destroy: (error, done) => {
      input.destroy();
      output.destroy();
      done(error);
    },
  });
  const end = () => void terminal.push(null);
  input.on('error', () => undefined).on('drain', goOn);
  input.on('close', goOn);
  output.on('data', (data: Buffer) => {
    if (!terminal.push(data)) output.pause();
  });
  output.on('end', end).on('error', end);
  output.on('close', end);
  output.pause();
  return terminal;
}
