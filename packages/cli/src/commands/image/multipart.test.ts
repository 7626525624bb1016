import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { splitParts } from './multipart-reader.ts';
import { multipart } from './upload.ts';

async function* inPieces(data: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += size) yield await Promise.resolve(data.subarray(at, at + size));
}

describe('multipart', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lxd-ts-test-'));
  });
  afterAll(() => rm(dir, { recursive: true }));

  it.each([1, 7, 64, 100_000])('is read back as it was written, in pieces of %d', async (size) => {
    const contents = [Buffer.from('\r\n--almost'), Buffer.alloc(3000, 'x')];
    const parts = await Promise.all(
      contents.map(async (content, i) => {
        const path = join(dir, `part${i}`);
        await writeFile(path, content);
        return { name: `p${i}`, path, size: content.length };
      }),
    );
    const { length, body } = multipart(parts, 'edge');
    const chunks: Buffer[] = [];
    for await (const chunk of body()) chunks.push(chunk);
    const whole = Buffer.concat(chunks);
    expect(whole.length).toBe(length);

    const seen: Buffer[] = [];
    for await (const part of splitParts(inPieces(whole, size), 'edge')) {
      expect(part.disposition).toContain(`name="p${seen.length}"`);
      const pieces: Buffer[] = [];
      for await (const piece of part.body) pieces.push(piece);
      seen.push(Buffer.concat(pieces));
    }
    expect(seen).toEqual(contents);
  });

  it('says so when the answer is cut off', async () => {
    const read = async (): Promise<void> => {
      for await (const part of splitParts(inPieces(Buffer.from('--edge\r\nA: b\r\n\r\nhalf'), 5), 'edge')) {
        for await (const piece of part.body) expect(piece.length).toBeLessThan(10);
      }
    };
    await expect(read()).rejects.toThrow('ended too early');
  });
});
