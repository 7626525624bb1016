import { lstat, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readOwn } from '../read-own.ts';

const name = 'backup.yaml';
/** LXD's own are some kilobytes. */
const maxBytes = 8 * 1024 * 1024;

/** The content of a regular file, whoever put what there; undefined when there is none. */
export async function readDescription(directory: string): Promise<string | undefined> {
  const found = await readOwn(join(directory, name), maxBytes).catch(() => undefined);
  return found?.toString('utf8');
}

/** Beside the root of an instance, which cannot reach it there. Written only where it says something else, at one moment. */
export async function writeDescription(directory: string, text: string): Promise<void> {
  if ((await readDescription(directory)) === text) return;
  const path = join(directory, name);
  const fresh = join(directory, `.partial-${name}`);
  await rm(fresh, { recursive: true, force: true });
  try {
    await writeFile(fresh, text, { mode: 0o400, flag: 'wx' });
    // What came from elsewhere may be anything.
    const found = await lstat(path).catch(() => undefined);
    if (found?.isDirectory()) await rm(path, { recursive: true });
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}
