import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import type { Addon } from './addon.ts';

/** How often a pipe is looked at that something left behind by an ended command keeps open. */
const drainMs = 20;

type Pair = [readEnd: number, writeEnd: number];

/** Three real pipes: Node's own 'pipe' is a socket, which a program cannot open by name. */
export interface Pipes {
  /** The command's ends; to be disposed of here once it has them. */
  theirs: Disposable & { fds: [stdin: number, stdout: number, stderr: number] };
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  destroy: () => void;
}

/**
 * What comes out of a pipe. Ends with the pipe or, once the command is over, when the pipe is empty, though some child of
 * it may still hold the other end.
 */
function outputOf(addon: Addon, fd: number, over: Promise<unknown>): Readable {
  const socket = new Socket({ fd, readable: true, writable: false });
  // Between the two, so that what still comes after the end meets no ended stream.
  const stream = new PassThrough();
  socket.pipe(stream);
  socket.on('error', () => void stream.end());
  stream.once('close', () => void socket.destroy());
  const look = () => {
    if (socket.readableEnded || socket.destroyed) return;
    if (socket.readableLength > 0 || addon.pending(fd) > 0) {
      setTimeout(look, drainMs).unref();
      return;
    }
    socket.unpipe(stream).destroy();
    stream.end();
  };
  const lookLater = () => void setTimeout(look, drainMs).unref();
  over.then(lookLater, lookLater);
  return stream;
}

/** @param over settles when the command is gone */
export function openPipes(addon: Addon, over: Promise<unknown>): Pipes {
  const fds: number[] = [];
  try {
    for (let i = 0; i < 3; i++) fds.push(...addon.makePipe());
  } catch (error) {
    for (const fd of fds) closeSync(fd);
    throw error;
  }
  const [inRead, inWrite, outRead, outWrite, errRead, errWrite] = fds as [...Pair, ...Pair, ...Pair];
  const stdin = new Socket({ fd: inWrite, readable: false, writable: true });
  stdin.on('error', () => undefined); // a command may end without reading its input
  const [stdout, stderr] = [outputOf(addon, outRead, over), outputOf(addon, errRead, over)];
  return {
    theirs: {
      fds: [inRead, outWrite, errWrite],
      [Symbol.dispose]: () => {
        for (const fd of [inRead, outWrite, errWrite]) closeSync(fd);
      },
    },
    stdin,
    stdout,
    stderr,
    destroy: () => {
      for (const stream of [stdin, stdout, stderr]) stream.destroy();
    },
  };
}
