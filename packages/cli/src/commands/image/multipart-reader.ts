import { LxdError } from '@lxd-ts/core';

export interface Part {
  /** The Content-Disposition header. */
  disposition: string;
  /** To be read to its end before the next part is asked for. */
  body: AsyncIterable<Buffer>;
}

/** The parts of a multipart stream, one after the other, without holding one in memory. */
export async function* splitParts(
  source: AsyncIterable<Buffer>,
  boundary: string,
): AsyncGenerator<Part, void> {
  const input = source[Symbol.asyncIterator]();
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // The first delimiter has no line before it.
  let buffered: Buffer = Buffer.from('\r\n');

  const more = async (): Promise<void> => {
    const next = await input.next();
    if (next.done) throw new LxdError('internal', 'The multipart answer ended too early');
    buffered = Buffer.concat([buffered, next.value]);
  };
  const readUntil = async (mark: string | Buffer): Promise<Buffer> => {
    let at = buffered.indexOf(mark);
    for (; at < 0; at = buffered.indexOf(mark)) await more();
    const head = buffered.subarray(0, at);
    buffered = buffered.subarray(at + mark.length);
    return head;
  };
  async function* body(): AsyncGenerator<Buffer> {
    for (;;) {
      const at = buffered.indexOf(delimiter);
      if (at >= 0) {
        if (at > 0) yield buffered.subarray(0, at);
        buffered = buffered.subarray(at + delimiter.length);
        return;
      }
      // The start of a delimiter may be at the end of what is here.
      const safe = buffered.length - delimiter.length;
      if (safe > 0) {
        yield buffered.subarray(0, safe);
        buffered = buffered.subarray(safe);
      }
      await more();
    }
  }

  await readUntil(delimiter);
  for (;;) {
    while (buffered.length < 2) await more();
    if (buffered.subarray(0, 2).toString() === '--') return;
    const headers = (await readUntil('\r\n\r\n')).toString();
    yield { disposition: /content-disposition:([^\r\n]*)/i.exec(headers)?.[1]?.trim() ?? '', body: body() };
  }
}
