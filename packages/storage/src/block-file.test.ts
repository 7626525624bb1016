import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  blockFile,
  blockFileSize,
  checkBlockFile,
  fillBlockDirectory,
  growBlockFile,
  isBlockDirectory,
} from './block-file.ts';
import { useDirectory } from './use-directory.ts';

const wait = { signal: AbortSignal.timeout(60_000) };
let place: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'lxd-ts-block-'));
});
afterEach(() => {
  rmSync(place, { recursive: true });
});

test('it is a file of holes, private, of whole units', async () => {
  await fillBlockDirectory(10_000, undefined)(place, wait);
  expect(await blockFileSize(place)).toBe(16_384);
  const { mode, blocks } = statSync(blockFile(place));
  expect([mode & 0o777, blocks, statSync(place).mode & 0o777]).toEqual([0o600, 0, 0o711]);
  await growBlockFile(place, 16_000);
  await growBlockFile(place, undefined);
  await growBlockFile(place, 20_000);
  expect(await blockFileSize(place)).toBe(24_576);
  await expect(growBlockFile(place, 16_384)).rejects.toThrow(/cannot be shrunk/);
  expect(await isBlockDirectory(place)).toBe(true);
});

test('a volume with other files, too, is one of files', async () => {
  await fillBlockDirectory(1, undefined)(place, wait);
  writeFileSync(join(place, 'other'), '');
  expect(await isBlockDirectory(place)).toBe(false);
});

test('a link is never followed, wherever it came from', async () => {
  const target = join(place, 'target');
  writeFileSync(target, 'secret');
  const volume = mkdtempSync(join(place, 'volume-'));
  symlinkSync(target, blockFile(volume));
  expect(await isBlockDirectory(volume)).toBe(false);
  await expect(checkBlockFile(volume)).rejects.toMatchObject({ code: 'invalid' });
  await expect(useDirectory(volume, { block: true })).rejects.toMatchObject({ code: 'invalid' });
  await expect(growBlockFile(volume, 1_000_000)).rejects.toThrow(/ELOOP/);
  expect(readFileSync(target, 'utf8')).toBe('secret');
});
