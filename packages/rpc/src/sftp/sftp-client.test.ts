import { answers, requests, statuses, text } from './packets.ts';
import { openFlags, SftpClient } from './sftp-client.ts';
import { answer, done, fakeSftp, status, type Script } from './testing.ts';

const connect = async (script: Script) => {
  const { stream, other } = fakeSftp(script);
  return { client: await SftpClient.open(stream), other };
};
const handle = Buffer.from('h');
const collect = async (source: AsyncIterable<Buffer>): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
};

describe('an SFTP client', () => {
  it('tells what went wrong in codes of its own', async () => {
    const codes = [statuses.noSuchFile, statuses.permissionDenied, 4];
    const { client } = await connect(() => status(codes.shift() ?? 0, 'Is a directory'));
    await expect(client.lstat('/x')).rejects.toMatchObject({ code: 'not-found', message: 'Not Found' });
    await expect(client.remove('/x')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(client.open('/x', openFlags.write)).rejects.toMatchObject({
      code: 'internal',
      message: 'Cannot open "/x": Is a directory',
    });
    // An answer of the wrong kind.
    await expect(client.lstat('/x')).rejects.toMatchObject({ code: 'internal' });
  });

  it('reads a few pieces ahead, and goes on where one is short', async () => {
    const content = Buffer.from(Array.from({ length: 700_000 }, (_, i) => i % 251));
    let under = 0;
    let most = 0;
    const { client } = await connect(async (type, fields) => {
      if (type !== requests.read) return done;
      fields.bytes();
      const at = fields.u32() * 2 ** 32 + fields.u32();
      const size = fields.u32();
      most = Math.max(most, ++under);
      await new Promise(setImmediate);
      under -= 1;
      // As of a file that gives less than it is asked for, every now and then.
      const piece = content.subarray(at, at + (at % 3 === 0 ? size : Math.ceil(size / 2)));
      return piece.length > 0 ? answer(answers.data, text(piece)) : status(statuses.eof);
    });
    expect((await collect(client.read(handle, content.length))).equals(content)).toBe(true);
    expect(most).toBeGreaterThan(1);
    // Those that were asked for in vain may still be on their way.
    expect(most).toBeLessThanOrEqual(32);
  });

  it('asks for a small file once, and for one without a size piece by piece', async () => {
    const asked: number[] = [];
    const { client } = await connect((type, fields) => {
      if (type !== requests.read) return done;
      fields.bytes();
      asked.push(fields.u32() * 2 ** 32 + fields.u32());
      return asked.length > 3 ? status(statuses.eof) : answer(answers.data, text('0123456789'));
    });
    for await (const _ of client.read(handle, 10)) break;
    expect(asked).toEqual([0]);
    expect((await collect(client.read(handle, 0))).length).toBe(20);
    expect(asked).toEqual([0, 0, 10, 20]);
  });

  it('closes a file that is not read to its end', async () => {
    const closed = Promise.withResolvers<undefined>();
    const { client } = await connect((type) => {
      if (type === requests.close) closed.resolve(undefined);
      return type === requests.read ? answer(answers.data, text(Buffer.alloc(131_072))) : done;
    });
    for await (const _ of client.read(handle, 10_000_000)) break;
    await closed.promise;
  });

  it('takes no more than it can pass on', async () => {
    const go = Promise.withResolvers<undefined>();
    let written = 0;
    const { client } = await connect(async (_type, fields) => {
      await go.promise;
      fields.bytes();
      fields.u32();
      fields.u32();
      written += fields.bytes().length;
      return done;
    });
    let given = 0;
    const source = async function* () {
      for (let i = 0; i < 100; i++) {
        given += 1;
        yield Buffer.alloc(100_000);
        await new Promise(setImmediate);
      }
    };
    const writing = client.write(handle, source());
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    expect(given).toBeLessThan(25);
    go.resolve(undefined);
    await writing;
    expect(written).toBe(10_000_000);
  });

  it('stops at the first piece that cannot be written', async () => {
    let asked = 0;
    const { client } = await connect(() => (++asked > 2 ? status(4, 'No space left on device') : done));
    const source = async function* () {
      for (;;) {
        yield Buffer.alloc(131_072);
        await new Promise(setImmediate);
      }
    };
    await expect(client.write(handle, source())).rejects.toThrow('No space left on device');
  });

  it('fails whoever waits when the other side goes away', async () => {
    const { client, other } = await connect(() => undefined);
    const waiting = client.lstat('/x');
    other.destroy();
    await expect(waiting).rejects.toMatchObject({ code: 'unavailable' });
    await client.closed;
    await expect(client.lstat('/x')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('hangs up on who speaks no SFTP', async () => {
    const { client, other } = await connect(() => undefined);
    const waiting = client.lstat('/x');
    other.write('HTTP/1.1 400 Bad Request');
    await expect(waiting).rejects.toMatchObject({ code: 'internal' });
  });
});
