import { duplexPair, type Duplex } from 'node:stream';
import { answers, PacketReader, requests, statuses, text, u32 } from './packets.ts';

/** Answers a request: its type, what comes with it, and what to say. `undefined`: nothing. */
export type Script = (type: number, fields: PacketReader) => Buffer | undefined | Promise<Buffer | undefined>;

/** An answer without its id, which goes between type and fields. */
export const answer = (type: number, ...fields: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([type]), ...fields]);

export const status = (code: number, message = ''): Buffer =>
  answer(answers.status, u32(code), text(message), text(''));
export const done = status(statuses.ok);

/** The other side of an SFTP client: greets it, then does what the script says. */
export function fakeSftp(script: Script): { stream: Duplex; other: Duplex } {
  const [stream, other] = duplexPair();
  let buffer = Buffer.alloc(0);
  const send = (id: Buffer, said: Buffer) => {
    if (!other.destroyed)
      other.write(Buffer.concat([u32(said.length + 4), said.subarray(0, 1), id, said.subarray(1)]));
  };
  other.on('error', () => undefined);
  other.on('data', (data: Buffer) => {
    buffer = Buffer.concat([buffer, data]);
    while (buffer.length >= 4 && buffer.length >= 4 + buffer.readUInt32BE()) {
      const length = buffer.readUInt32BE();
      const type = buffer.readUInt8(4);
      const id = buffer.subarray(5, 9);
      const fields = new PacketReader(buffer.subarray(9, 4 + length));
      buffer = buffer.subarray(4 + length);
      if (type === requests.init) send(u32(3), answer(answers.version));
      else void Promise.resolve(script(type, fields)).then((said) => said && send(id, said));
    }
  });
  return { stream, other };
}
