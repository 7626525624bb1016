import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RawData, WebSocket } from 'ws';

/** How long a pipe that others still hold open is listened to after its command has ended and nothing more comes. */
const lingerMs = 100;

const bufferOf = (data: RawData): Buffer =>
  Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);

/** Binary messages become bytes; a text message or the end of the socket is the end of the input. */
export function pumpIn(socket: WebSocket, into: Writable): void {
  const end = () => {
    if (!into.writableEnded) into.end();
  };
  into.on('drain', () => socket.resume());
  // A command that no longer reads its input is not an error.
  into.on('error', () => socket.resume());
  socket.on('message', (data, isBinary) => {
    if (!isBinary) end();
    else if (into.writable && !into.write(bufferOf(data))) socket.pause();
  });
  socket.on('close', end);
  if (socket.readyState >= socket.CLOSING) end();
  socket.resume();
}

/** The same for a terminal, which has no end of input. */
export function pumpTerminal(socket: WebSocket, into: Writable): void {
  into.on('drain', () => socket.resume());
  socket.on('message', (data, isBinary) => {
    if (isBinary && into.writable && !into.write(bufferOf(data))) socket.pause();
  });
  socket.resume();
}

const send = (socket: WebSocket, data: Buffer | string): Promise<void> =>
  new Promise((resolve) => socket.send(data, { binary: typeof data !== 'string' }, () => resolve()));

/**
 * Bytes become binary messages, the end an empty text message. Waits for the reader on the other side.
 * @param over once settled, silence is taken for the end: a process left behind may hold the pipe open
 */
export async function pumpOut(from: Readable, socket: WebSocket, over: Promise<unknown>): Promise<void> {
  const seen = { at: performance.now(), sending: false };
  const read = (async () => {
    try {
      for await (const chunk of from) {
        seen.sending = true;
        if (socket.readyState === socket.OPEN) await send(socket, chunk as Buffer);
        seen.at = performance.now();
        seen.sending = false;
      }
    } catch {
      // A broken pipe, or EIO of a terminal whose other side is closed: the end as well.
    }
  })();
  const silent = (async () => {
    await over.catch(() => undefined);
    seen.at = performance.now();
    while (seen.sending || performance.now() - seen.at < lingerMs) await sleep(lingerMs / 4);
  })();
  await Promise.race([read, silent]);
  from.destroy();
  if (socket.readyState === socket.OPEN) await send(socket, '');
}

/** JSON text messages, one command each. What is not one is ignored. */
export function onCommands(
  socket: WebSocket,
  handle: (command: { command?: unknown; args?: Record<string, unknown>; signal?: unknown }) => void,
): void {
  socket.on('message', (data) => {
    try {
      const parsed: unknown = JSON.parse(bufferOf(data).toString());
      if (typeof parsed === 'object' && parsed !== null) handle(parsed);
    } catch {
      // Not JSON.
    }
  });
  socket.resume();
}

/** `window-resize` with its sizes as LXD's clients write them: strings. */
export function resizeOf(
  args: Record<string, unknown> | undefined,
): [columns: number, rows: number] | undefined {
  const [columns, rows] = [Number(args?.['width']), Number(args?.['height'])];
  return columns > 0 && rows > 0 ? [columns, rows] : undefined;
}
