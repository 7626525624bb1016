import { mkdir, readlink, rm, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Points there on return, whatever it pointed to. */
export async function link(path: string, target: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o711 });
  if ((await readlink(path).catch(() => undefined)) === target) return;
  await rm(path, { force: true });
  await symlink(target, path);
}
