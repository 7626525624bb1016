import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBusyboxImage, type BusyboxImage } from './busybox.ts';
import type { TestServer } from './server.ts';

/** A temporary folder that unprivileged containers may pass through. */
export function makeTemporary(name: string): string {
  const dir = mkdtempSync(join(tmpdir(), `lxd-ts-${name}-`));
  chmodSync(dir, 0o711);
  return dir;
}

export interface Ground {
  dir: string;
  image: BusyboxImage;
  server: TestServer;
  /** Deletes everything and fails where something is left. */
  clear(): Promise<void>;
}

/** A server and an image in a temporary folder. */
export async function prepareGround(
  name: string,
  start: (dir: string) => Promise<TestServer>,
): Promise<Ground> {
  const dir = makeTemporary(name);
  const image = makeBusyboxImage(join(dir, 'image'));
  const server = await start(join(dir, 'server')).catch((error: unknown) => {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  });
  return {
    dir,
    image,
    server,
    clear: async () => {
      const left = await server.stopAll();
      rmSync(dir, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`left behind:\n${left.join('\n')}`);
    },
  };
}
