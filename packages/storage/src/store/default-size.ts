import { statfs } from 'node:fs/promises';

const GiB = 1024 ** 3;

/** Of a loop file: a fifth of what is free, between 5 and 30 GiB, as LXD chooses. */
export async function defaultSize(dir: string): Promise<string> {
  const { bsize, bavail } = await statfs(dir);
  const fifth = Math.floor((bsize * bavail) / 5 / GiB);
  return `${Math.min(30, Math.max(5, fifth))}GiB`;
}
