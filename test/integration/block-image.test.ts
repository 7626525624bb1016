import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linuxHost } from '@lxd-ts/host';
import { copyImage, fillImage } from '../../packages/agent/src/block-image.ts';

/** The bytes of block volumes, between files and devices. */
const wait = { signal: AbortSignal.timeout(60_000) };
const host = linuxHost();
const MiB = 1024 * 1024;

let place: string;
let device: string;
/** What is on the device, read anew. */
const onDevice = (): Buffer => {
  execFileSync('blockdev', ['--flushbufs', device]);
  return readFileSync(join(place, 'disk'));
};
/** A megabyte of text, seven of zeros. */
const image = Buffer.concat([Buffer.alloc(MiB, 'text'), Buffer.alloc(7 * MiB)]);

beforeAll(() => {
  place = mkdtempSync('/tmp/lxd-ts-block-image-');
  writeFileSync(join(place, 'disk'), Buffer.alloc(8 * MiB, 'old'));
  writeFileSync(join(place, 'image'), image);
  const argv = ['--find', '--show', '--', join(place, 'disk')];
  device = execFileSync('losetup', argv, { encoding: 'utf8' }).trim();
});

afterAll(() => {
  execFileSync('losetup', ['--detach', device]);
  rmSync(place, { recursive: true });
});

test('what goes to a device is there whole, zeros too, whatever was there before', async () => {
  await copyImage(host, join(place, 'image'), device, wait);
  expect(onDevice().equals(image)).toBe(true);
  const other = Buffer.concat([Buffer.alloc(2 * MiB), Buffer.alloc(MiB, 'more'), Buffer.alloc(5 * MiB)]);
  writeFileSync(join(place, 'other'), other);
  await fillImage(host, device, createReadStream(join(place, 'other')), wait);
  expect(onDevice().equals(other)).toBe(true);
});

test('what goes to a file has holes for zeros, and the same size, however large it was', async () => {
  await copyImage(host, join(place, 'image'), device, wait);
  for (const from of ['device', 'stream'] as const) {
    const file = join(place, from);
    writeFileSync(file, Buffer.alloc(12 * MiB, 'old'), { mode: 0o600 });
    if (from === 'device') await copyImage(host, device, file, wait);
    else await fillImage(host, file, createReadStream(join(place, 'image')), wait);
    expect(readFileSync(file).equals(image)).toBe(true);
    expect(statSync(file).blocks * 512).toBeLessThan(2 * MiB);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  }
});

test('more than a device can hold is a failure', async () => {
  writeFileSync(join(place, 'large'), Buffer.alloc(9 * MiB, 'x'));
  await expect(fillImage(host, device, createReadStream(join(place, 'large')), wait)).rejects.toThrow(
    /No space left/,
  );
});
