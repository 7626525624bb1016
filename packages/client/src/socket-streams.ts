import type { Readable, Writable } from 'node:stream';
import type { WebSocket } from 'ws';

/** A text message without text is how LXD marks the end of a stream that stays open. */
const endOfFileMark = '';

/**
 * Sends what the stream gives as binary messages, no faster than the socket takes them.
 * @param endOfFile whether its end is told to the other side (a terminal has none)
 */
export function pipeFrom(
  stream: Readable | undefined,
  socket: WebSocket,
  { endOfFile }: { endOfFile: boolean },
): void {
  const end = (): void => {
    if (endOfFile && socket.readyState === socket.OPEN) socket.send(endOfFileMark);
  };
  socket.resume();
  if (!stream) {
    end();
    return;
  }
  stream.on('data', (chunk: Buffer) => {
    if (socket.readyState !== socket.OPEN) return;
    stream.pause();
    socket.send(chunk, () => stream.resume());
  });
  stream.once('end', end);
  stream.once('error', end);
  socket.once('close', () => {
    stream.removeAllListeners('data');
    stream.pause();
  });
}

/** Writes what the socket brings, no faster than the stream takes it; resolves at the mark or the close. */
export function pipeTo(socket: WebSocket, stream: Writable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let waiting = false;
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (!isBinary && data.length === 0) {
      socket.close();
      resolve(undefined);
      return;
    }
    if (stream.destroyed || stream.write(data) || waiting) return;
    // Messages that were already received still come after the pause.
    waiting = true;
    socket.pause();
    stream.once('drain', () => {
      waiting = false;
      socket.resume();
    });
  });
  socket.once('close', () => {
    resolve(undefined);
  });
  socket.resume();
  return promise;
}
