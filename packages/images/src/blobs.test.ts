import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Blobs } from './blobs.ts';

const { signal } = new AbortController();
const hexOf = (data: string) => createHash('sha256').update(data).digest('hex');

test('what comes while others go finds its directory, and leaves none when it goes, too', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'lxd-ts-blobs-'));
  const blobs = new Blobs(dir);
  const over = new AbortController();
  const going = (async () => {
    while (!over.signal.aborted) await blobs.drop([], new Set());
  })();
  try {
    for (let i = 0; i < 200; i++) {
      const data = `blob ${i}`;
      const hex = hexOf(data);
      await blobs.receive(Readable.from([Buffer.from(data)]), { hex, size: data.length }, signal);
      expect(readFileSync(blobs.path(hex), 'utf8')).toBe(data);
      await blobs.drop([hex], new Set());
    }
  } finally {
    over.abort();
    await going;
  }
  expect(readdirSync(dir)).toEqual([]);
  rmSync(dir, { recursive: true });
});
