import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from './host.ts';
import { run } from './run.ts';

/** See `Host.pipe`. Node has no call for it: it has a name for a moment. */
export const openPipe: Host['pipe'] = async ({ signal }) => {
  const directory = await mkdtemp(join(tmpdir(), 'lxd-ts-pipe-'));
  try {
    const path = join(directory, 'pipe');
    await run(['mkfifo', '-m', '600', path], { signal });
    // The one end cannot be opened before the other, but for both at once.
    const both = openSync(path, 'r+');
    try {
      return { read: openSync(path, 'r'), write: openSync(path, 'w') };
    } finally {
      closeSync(both);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
};
