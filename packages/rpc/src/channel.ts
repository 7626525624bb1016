import { Duplex, Readable } from 'node:stream';
import { status } from '@grpc/grpc-js';
import type { Chunk } from './agent-hub.gen.ts';
import type { ImagePart } from './images.ts';

/** Either end of a gRPC `Channel` call. */
export type ChunkStream = Duplex;

/** Well under gRPC's limit of 4 MiB for a message. */
const maxBytes = 256 * 1024;

const chunkOf = (data: Buffer): Chunk => ({ data, part: '' });

function sendAll(channel: ChunkStream, data: Buffer, done: (error?: Error | null) => void): void {
  let full = false;
  for (let at = 0; at < data.length; at += maxBytes) {
    full = !channel.write(chunkOf(data.subarray(at, at + maxBytes)));
  }
  if (full) channel.once('drain', () => done());
  else done();
}

/**
 * Gives a call up, so that the other end hears of it. The server's end hears of it only behind what was written: where that
 * may never be taken, the other end must be told by a call, too.
 */
function giveUp(channel: ChunkStream): void {
  const { cancel } = channel as { cancel?: () => void };
  if (cancel) {
    cancel.call(channel);
    channel.destroy();
  } else if (!channel.destroyed) {
    channel.emit('error', Object.assign(new Error('given up'), { code: status.CANCELLED }));
  }
}

/**
 * The bytes of a channel as a plain stream, with backpressure both ways. Its end is the channel's half-close; when either side
 * destroys its stream before both have ended, the other's is destroyed too.
 */
export function byteStream(channel: ChunkStream): Duplex {
  let [sent, received] = [false, false];
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => void channel.resume(),
    write: (data: Buffer, _encoding, done) => {
      sendAll(channel, data, done);
    },
    final: (done) => {
      sent = true;
      channel.end();
      done();
    },
    destroy: (error, done) => {
      if (sent && received) channel.destroy();
      else giveUp(channel);
      done(error);
    },
  });
  channel.on('data', ({ data }: Chunk) => {
    if (data.length > 0 && !stream.push(data)) channel.pause();
  });
  channel.once('end', () => {
    received = true;
    stream.push(null);
  });
  channel.on('error', (error) => stream.destroy(error));
  channel.once('close', () => {
    if (!received) stream.destroy();
  });
  stream.on('error', () => undefined); // often nobody reads or writes any more when the connection is lost
  channel.pause();
  return stream;
}

/** What comes out of each goes into the other; the end of one ends the other, and its failure too. */
export function joinStreams(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.once('error', (error) => to.destroy(error));
    from.once('close', () => {
      if (!from.readableEnded) to.destroy();
    });
  }
}

async function write(channel: ChunkStream, chunk: Chunk): Promise<void> {
  if (channel.destroyed) throw new Error('the connection to the member was lost');
  if (channel.write(chunk)) return;
  await new Promise<void>((resolve, reject) => {
    const settle = () => {
      channel.off('drain', settle).off('close', settle).off('error', settle);
      if (channel.destroyed) reject(new Error('the connection to the member was lost'));
      else resolve();
    };
    channel.once('drain', settle).once('close', settle).once('error', settle);
  });
}

/** Sends the parts of an image one after the other. */
export async function sendParts(channel: ChunkStream, parts: AsyncIterable<ImagePart>): Promise<void> {
  for await (const { kind, digest, body } of parts) {
    await write(channel, { data: Buffer.alloc(0), part: digest === undefined ? kind : `${kind} ${digest}` });
    for await (const data of body as AsyncIterable<Buffer>) {
      for (let at = 0; at < data.length; at += maxBytes) {
        await write(channel, chunkOf(data.subarray(at, at + maxBytes)));
      }
    }
  }
  channel.end();
}

/** The other end of `sendParts`. A part must be read to its end before the next is asked for. */
export async function* receiveParts(channel: ChunkStream): AsyncGenerator<ImagePart> {
  const chunks = channel[Symbol.asyncIterator]() as AsyncIterator<Chunk>;
  let next = await chunks.next();
  while (!next.done) {
    const [kind, digest] = next.value.part.split(' ') as [ImagePart['kind'], string | undefined];
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      next = await chunks.next();
      while (!next.done && next.value.part === '') {
        yield next.value.data;
        next = await chunks.next();
      }
    };
    yield {
      kind,
      ...(digest === undefined ? {} : { digest }),
      body: Readable.from(bytes(), { objectMode: false }),
    };
  }
}
