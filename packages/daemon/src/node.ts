import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createAgent } from '@lxd-ts/agent';
import { linuxHost } from '@lxd-ts/host';
import { openImageStore } from '@lxd-ts/images';
import { openLiblxc } from '@lxd-ts/liblxc';
import { networkDrivers } from '@lxd-ts/network';
import type { Agent, Bulk } from '@lxd-ts/rpc';
import type { Logger } from '@lxd-ts/server';
import { storageDrivers } from '@lxd-ts/storage';
import { imagesForInside } from './inside-images.ts';
import type { DaemonOptions } from './options.ts';
import { version } from './version.ts';

/** The agent of this machine. */
export async function openNode(
  { dir, devDir, sysDir }: Pick<DaemonOptions, 'dir' | 'devDir' | 'sysDir'>,
  around: { bulk: Bulk; membership: Agent['membership']; location(): string },
  log: Logger,
): Promise<Agent & Disposable> {
  const host = linuxHost();
  const buildDir = join(import.meta.dirname, '../../liblxc/build');
  const liblxc = openLiblxc({
    lxcpath: join(dir, 'containers'),
    buildDir,
  });
  const images = await openImageStore({ host, dir, unpacker: join(buildDir, 'lxd-ts-layer') });
  return createAgent({
    dir,
    version,
    host,
    liblxc,
    images,
    storageDrivers,
    networkDrivers,
    ...around,
    log,
    devDir,
    sysDir,
    forwarder: join(buildDir, 'lxd-ts-forward'),
    overlayProgram: join(buildDir, 'lxd-ts-overlay'),
    quotaProgram: join(buildDir, 'lxd-ts-quota'),
    exportImage: imagesForInside(dir),
    interceptor: join(buildDir, 'lxd-ts-intercept'),
    randomId: () => randomBytes(4).toString('hex'),
  });
}
