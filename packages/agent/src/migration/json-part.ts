import { LxdError } from '@lxd-ts/core';
import { endOfPart, type MessageChannel } from '@lxd-ts/rpc';

const maxBytes = 64 * 1024 * 1024;

/** A part of the filesystem socket that is one JSON value. */
export async function sendJson(channel: MessageChannel, value: unknown): Promise<void> {
  await channel.send(Buffer.from(JSON.stringify(value)));
  await channel.sendEnd();
}

/** @throws LxdError `invalid` */
export async function readJson(channel: MessageChannel): Promise<unknown> {
  const pieces: Buffer[] = [];
  let size = 0;
  for (;;) {
    const message = await channel.receive();
    if (message === endOfPart) break;
    if (message === undefined)
      throw new LxdError('unavailable', 'The other side ended before it began to send');
    size += message.length;
    if (size > maxBytes) throw new LxdError('too-large', 'The description of the volume is too long');
    pieces.push(message);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8')) as unknown;
  } catch (error) {
    throw new LxdError('invalid', 'The other server sent a description that is not JSON', { cause: error });
  }
}
