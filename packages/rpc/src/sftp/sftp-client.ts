import type { Duplex } from 'node:stream';
import { LxdError, toLxdError } from '@lxd-ts/core';
import {
  answers,
  attributes,
  openFlags,
  PacketReader,
  requests,
  statuses,
  text,
  u32,
  u64,
  type Attributes,
  type FileStat,
} from './packets.ts';

/** One request's data: large enough to be quick, and under what every server takes. */
const pieceBytes = 128 * 1024;
/** Pieces that are on their way at the same time. */
const windowPieces = 16;
/** Our own server's answers are smaller. */
const maxAnswerBytes = 1024 * 1024;

interface Answer {
  type: number;
  fields: PacketReader;
}

export type Handle = Buffer & { readonly handle?: true };

/** SFTP (version 3) over a stream. Errors are LxdErrors: `not-found`, `forbidden`, `internal`; `unavailable` when the stream ends. */
export class SftpClient {
  readonly #stream: Duplex;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  #chunks: Buffer[] = [];
  #buffered = 0;
  #lastId = 0;
  #ended: LxdError | undefined;
  /** Settles when nothing can be asked any more. */
  readonly closed: Promise<void>;

  private constructor(stream: Duplex) {
    this.#stream = stream;
    this.closed = new Promise((resolve) => {
      const end = (error?: unknown) => {
        this.#end(
          error === undefined
            ? new LxdError(
                'unavailable',
                'The instance was changed, or its member was lost, while its files were in use',
              )
            : new LxdError('unavailable', toLxdError(error).message, { cause: error }),
        );
        resolve();
      };
      stream.on('error', end).once('end', end).once('close', end);
    });
    stream.on('data', (data: Buffer) => this.#receive(data));
  }

  /** @throws LxdError `unavailable` */
  static async open(stream: Duplex): Promise<SftpClient> {
    const client = new SftpClient(stream);
    const { promise } = client.#expect(0);
    stream.write(Buffer.concat([u32(5), Buffer.from([requests.init]), u32(3)]));
    await promise;
    return client;
  }

  #end(error: LxdError): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
    this.#stream.destroy();
  }

  #receive(data: Buffer): void {
    this.#chunks.push(data);
    this.#buffered += data.length;
    while (this.#buffered >= 4) {
      if ((this.#chunks[0]?.length ?? 0) < 4) this.#chunks = [Buffer.concat(this.#chunks)];
      const length = this.#chunks[0]?.readUInt32BE() ?? 0;
      if (length < 5 || length > maxAnswerBytes) {
        this.#end(new LxdError('internal', 'What answers for the files speaks no SFTP'));
        return;
      }
      if (this.#buffered < 4 + length) return;
      const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
      this.#chunks = all.length > 4 + length ? [all.subarray(4 + length)] : [];
      this.#buffered -= 4 + length;
      const type = all.readUInt8(4);
      const id = type === answers.version ? 0 : all.readUInt32BE(5);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      waiting?.resolve({ type, fields: new PacketReader(all.subarray(9, 4 + length)) });
    }
  }

  #expect(id: number): PromiseWithResolvers<Answer> {
    const waiting = Promise.withResolvers<Answer>();
    // Somebody may have stopped listening by the time of the answer.
    waiting.promise.catch(() => undefined);
    if (this.#ended) waiting.reject(this.#ended);
    else this.#waiting.set(id, waiting);
    return waiting;
  }

  #ask(type: number, ...fields: Buffer[]): Promise<Answer> {
    this.#lastId = (this.#lastId % 0xffffffff) + 1;
    const { promise } = this.#expect(this.#lastId);
    if (this.#ended) return promise;
    const length = fields.reduce((sum, field) => sum + field.length, 5);
    const head = Buffer.alloc(9);
    head.writeUInt32BE(length, 0);
    head.writeUInt8(type, 4);
    head.writeUInt32BE(this.#lastId, 5);
    // In one: every write may become a message to another member, which costs more than to copy it.
    this.#stream.write(Buffer.concat([head, ...fields]));
    return promise;
  }

  /** @param what was tried, for the message: `open "/etc/passwd"`. Undefined: the end was reached. */
  async #get(what: string, wanted: number, asked: Promise<Answer>): Promise<PacketReader | undefined> {
    const { type, fields } = await asked;
    if (type === wanted && type !== answers.status) return fields;
    if (type !== answers.status) throw new LxdError('internal', `Cannot ${what}: unexpected answer ${type}`);
    const status = fields.u32();
    if (status === statuses.ok && wanted === answers.status) return fields;
    switch (status) {
      case statuses.eof:
        return undefined;
      case statuses.noSuchFile:
        throw new LxdError('not-found', 'Not Found');
      case statuses.permissionDenied:
        throw new LxdError('forbidden', 'Forbidden');
      default:
        throw new LxdError('internal', `Cannot ${what}: ${fields.bytes().toString()}`);
    }
  }

  async #fields(what: string, wanted: number, asked: Promise<Answer>): Promise<PacketReader> {
    const fields = await this.#get(what, wanted, asked);
    if (!fields) throw new LxdError('internal', `Cannot ${what}: nothing came`);
    return fields;
  }

  async #do(what: string, asked: Promise<Answer>): Promise<void> {
    await this.#fields(what, answers.status, asked);
  }

  async #stat(what: string, asked: Promise<Answer>): Promise<FileStat> {
    return (await this.#fields(what, answers.attributes, asked)).attributes();
  }

  /** Of what a link points to. */
  stat(path: string): Promise<FileStat> {
    return this.#stat(`look at "${path}"`, this.#ask(requests.stat, text(path)));
  }

  lstat(path: string): Promise<FileStat> {
    return this.#stat(`look at "${path}"`, this.#ask(requests.lstat, text(path)));
  }

  fstat(handle: Handle): Promise<FileStat> {
    return this.#stat('look at the file', this.#ask(requests.fstat, text(handle)));
  }

  fsetstat(handle: Handle, set: Attributes): Promise<void> {
    return this.#do('change the file', this.#ask(requests.fsetstat, text(handle), attributes(set)));
  }

  /** Of a link itself where it is one. */
  lsetstat(path: string, set: Attributes): Promise<void> {
    const fields = [text('lsetstat@openssh.com'), text(path), attributes(set)];
    return this.#do(`change "${path}"`, this.#ask(requests.extended, ...fields));
  }

  mkdir(path: string, mode: number): Promise<void> {
    return this.#do(
      `create directory "${path}"`,
      this.#ask(requests.mkdir, text(path), attributes({ mode })),
    );
  }

  rmdir(path: string): Promise<void> {
    return this.#do(`delete "${path}"`, this.#ask(requests.rmdir, text(path)));
  }

  remove(path: string): Promise<void> {
    return this.#do(`delete "${path}"`, this.#ask(requests.remove, text(path)));
  }

  symlink(target: Buffer, path: string): Promise<void> {
    return this.#do(`create link "${path}"`, this.#ask(requests.symlink, text(target), text(path)));
  }

  async readlink(path: string): Promise<Buffer> {
    const fields = await this.#fields(
      `read link "${path}"`,
      answers.name,
      this.#ask(requests.readlink, text(path)),
    );
    fields.u32();
    return fields.bytes();
  }

  /** Names in a directory, sorted. */
  async list(path: string): Promise<string[]> {
    const what = `list "${path}"`;
    const opened = await this.#fields(what, answers.handle, this.#ask(requests.opendir, text(path)));
    const handle = opened.bytes();
    const names: string[] = [];
    try {
      for (;;) {
        const fields = await this.#get(what, answers.name, this.#ask(requests.readdir, text(handle)));
        if (!fields) break;
        for (let count = fields.u32(); count > 0; count--) {
          names.push(fields.bytes().toString());
          fields.bytes();
          fields.attributes();
        }
      }
    } finally {
      void this.#ask(requests.close, text(handle));
    }
    return names.filter((name) => name !== '.' && name !== '..').sort();
  }

  /** @param flags of `openFlags` */
  async open(path: string, flags: number, mode?: number): Promise<Handle> {
    const set = attributes(mode === undefined ? {} : { mode });
    const asked = this.#ask(requests.open, text(path), u32(flags), set);
    return (await this.#fields(`open "${path}"`, answers.handle, asked)).bytes();
  }

  async closeFile(handle: Handle): Promise<void> {
    await this.#do('close the file', this.#ask(requests.close, text(handle)));
  }

  /**
   * From the start to the end, wherever that is by then; up to `size`, as it was, a few pieces are fetched ahead. Closes the
   * file, whatever comes.
   */
  async *read(handle: Handle, size: number): AsyncGenerator<Buffer, void, undefined> {
    const piece = (at: number) => ({
      at,
      asked: this.#ask(requests.read, text(handle), u64(at), u32(pieceBytes)),
    });
    const ahead = [];
    let at = 0;
    try {
      for (;;) {
        while (ahead.length === 0 || (at < size && ahead.length < windowPieces)) {
          ahead.push(piece(at));
          at += pieceBytes;
        }
        const next = ahead.shift();
        if (!next) return;
        const fields = await this.#get('read the file', answers.data, next.asked);
        if (!fields) return;
        const data = fields.bytes();
        yield data;
        // Fewer than asked for need not be the end: what follows is asked for again from there.
        if (data.length < pieceBytes) {
          ahead.length = 0;
          at = next.at + data.length;
        }
      }
    } finally {
      void this.#ask(requests.close, text(handle));
    }
  }

  /** Everything that comes, from the start or to the end of the file; not faster than it is taken. */
  async write(handle: Handle, source: AsyncIterable<Buffer>): Promise<void> {
    const under: Promise<void>[] = [];
    let at = 0;
    const settle = async () => {
      await under.shift();
    };
    for await (const chunk of source) {
      for (let from = 0; from < chunk.length; from += pieceBytes) {
        const data = chunk.subarray(from, from + pieceBytes);
        while (under.length >= windowPieces) await settle();
        const asked = this.#ask(requests.write, text(handle), u64(at), u32(data.length), data);
        const written = this.#do('write the file', asked);
        // It is looked at in its turn, or not at all behind one that failed.
        written.catch(() => undefined);
        under.push(written);
        at += data.length;
      }
    }
    while (under.length > 0) await settle();
  }

  close(): void {
    this.#end(new LxdError('cancelled', 'Closed'));
  }
}

export { openFlags };
