import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fakeHost } from '@lxd-ts/host';
import { openSubvolumeLanding } from './landing.ts';

const signal = AbortSignal.timeout(10_000);

/** Subvolumes are directories; the one of this name cannot be made. */
const host = (impossible: string) =>
  fakeHost((argv) => {
    const path = argv.at(-1) ?? '';
    if (argv.includes('create')) {
      if (basename(path) === impossible) return { status: 1, stderr: 'no room' };
      mkdirSync(path);
    }
    if (argv.includes('delete')) rmSync(path, { recursive: true });
    return { stdout: argv.includes('show') ? `${basename(path)}\n` : '' };
  });

test('of a landing that cannot be opened nothing is left', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'lxd-ts-landing-'));
  try {
    const places = { volume: join(dir, 'c1'), snapshots: join(dir, 's'), staging: join(dir, '.partial-c1') };
    const open = (impossible: string) =>
      openSubvolumeLanding({
        host: host(impossible),
        setReceived: () => undefined,
        places,
        start: 'empty',
        signal,
      });
    await expect(open('volume')).rejects.toThrow('no room');
    expect(readdirSync(dir)).toEqual([]);
    const landing = await open('none');
    expect(readdirSync(dir)).toEqual(['.partial-c1']);
    await landing[Symbol.asyncDispose]();
    expect(readdirSync(dir)).toEqual([]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
