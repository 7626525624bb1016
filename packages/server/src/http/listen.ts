import { chmod, chown, readFile, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { LxdError } from '@lxd-ts/core';

/** Whether somebody answers on the socket. */
const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** @throws LxdError `invalid` */
async function groupId(group: string): Promise<number> {
  const line = (await readFile('/etc/group', 'utf8'))
    .split('\n')
    .find((entry) => entry.startsWith(`${group}:`));
  const id = Number(line?.split(':')[2]);
  if (!line || !Number.isInteger(id)) throw new LxdError('invalid', `The group "${group}" does not exist`);
  return id;
}

/**
 * Listens on a unix socket that only root and the group may use. A socket that a dead daemon left is replaced.
 * @throws LxdError `conflict` when another daemon answers there
 */
export async function listenUnix(server: Server, path: string, group: string | undefined): Promise<void> {
  const gid = group === undefined ? undefined : await groupId(group);
  if (await answers(path)) throw new LxdError('conflict', `Another daemon is running: it answers on ${path}`);
  await rm(path, { force: true });
  const mask = process.umask(0o177); // nobody else in the moment before its mode is set
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } finally {
    process.umask(mask);
  }
  if (gid !== undefined) await chown(path, 0, gid);
  await chmod(path, gid === undefined ? 0o600 : 0o660);
}
