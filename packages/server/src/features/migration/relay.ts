import { duplexPair, type Duplex } from 'node:stream';
import { LxdError, toLxdError } from '@lxd-ts/core';
import { endOfPart, messageChannel, wire, type MessageChannel, type MigrationStreams } from '@lxd-ts/rpc';
import type { RawData, WebSocket } from 'ws';

/** How long the last message may need, and the other side to hang up after it. */
const partingMs = 5_000;

const bufferOf = (data: RawData): Buffer =>
  Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);

const send = (socket: WebSocket, data: Buffer | string): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.send(data, { binary: typeof data !== 'string' }, (error) => {
      if (error) reject(new LxdError('unavailable', 'The connection to the other server was lost'));
      else resolve();
    });
  });

/** Text ends a part, as the peers have it; whatever is binary is a message. */
function fromSocket(socket: WebSocket, channel: MessageChannel): void {
  let order = Promise.resolve();
  const then = (work: () => Promise<void> | void) => {
    order = order.then(work).catch((error: unknown) => {
      channel.destroy(toLxdError(error));
    });
    return order;
  };
  socket.on('message', (data, isBinary) => {
    socket.pause();
    void then(() => (isBinary ? channel.send(bufferOf(data)) : channel.sendEnd())).then(() =>
      socket.resume(),
    );
  });
  const over = () => void then(() => channel.close());
  socket.on('close', over);
  if (socket.readyState >= socket.CLOSING) over();
  socket.resume();
}

async function toSocket(channel: MessageChannel, socket: WebSocket): Promise<void> {
  for (;;) {
    const message = await channel.receive();
    if (message === undefined) break;
    await send(socket, message === endOfPart ? '' : message);
  }
}

function relayOne(socket: WebSocket): Duplex {
  const [ours, agents] = duplexPair();
  const channel = messageChannel(ours);
  fromSocket(socket, channel);
  toSocket(channel, socket).then(
    () => socket.close(1000),
    () => socket.close(1011),
  );
  return agents;
}

/** The two sockets of a migration, for an agent. Disposing hangs up, once what was said has left. */
export class RelayedMigration implements AsyncDisposable {
  readonly streams: Extract<MigrationStreams, { kind: 'relayed' }>;
  readonly #control: WebSocket;
  readonly #filesystem: WebSocket;

  constructor(control: WebSocket, filesystem: WebSocket) {
    this.#control = control;
    this.#filesystem = filesystem;
    this.streams = { kind: 'relayed', control: relayOne(control), filesystem: relayOne(filesystem) };
    for (const stream of [this.streams.control, this.streams.filesystem]) stream.on('error', () => undefined);
  }

  /** The sink's last word, once it is on record. */
  async tell(success: boolean, message: string): Promise<void> {
    await send(this.#control, Buffer.from(wire.Outcome.encode({ success, message }).finish()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = [this.#control, this.#filesystem].map(
      (socket) =>
        new Promise<void>((resolve) => {
          if (socket.readyState === socket.CLOSED) resolve();
          else socket.once('close', () => resolve());
        }),
    );
    for (const stream of [this.streams.control, this.streams.filesystem]) stream.end();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, partingMs);
    });
    await Promise.race([Promise.all(closed), late]);
    clearTimeout(timer);
    for (const socket of [this.#control, this.#filesystem]) socket.terminate();
    for (const stream of [this.streams.control, this.streams.filesystem]) stream.destroy();
  }
}
