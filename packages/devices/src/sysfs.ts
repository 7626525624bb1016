import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One value of sysfs; empty where it is not there. */
export const attribute = async (dir: string, name: string): Promise<string> =>
  (await readFile(join(dir, name), 'utf8').catch(() => '')).trim();

export const entries = async (dir: string): Promise<string[]> => (await readdir(dir).catch(() => [])).sort();

/** `dev` of a device: its numbers. */
export async function numbersAt(dir: string): Promise<{ major: number; minor: number } | undefined> {
  const found = /^(\d+):(\d+)$/.exec(await attribute(dir, 'dev'));
  return found ? { major: Number(found[1]), minor: Number(found[2]) } : undefined;
}

/** A value of a `uevent` file. */
export const eventValue = async (dir: string, key: string): Promise<string> =>
  new RegExp(`^${key}=(.*)$`, 'm').exec(await attribute(dir, 'uevent'))?.[1] ?? '';

/** `0x10de` and `10DE` as LXD writes ids: `10de`. */
export const hexId = (value: string): string => value.replace(/^0x/, '').toLowerCase();

export const hexIdError = (value: string): string | undefined =>
  /^[0-9a-f]{4}$/.test(value) ? undefined : 'Invalid value, must be four lower case hex characters';
