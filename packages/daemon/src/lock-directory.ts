import { createServer } from 'node:net';
import { LxdError } from '@lxd-ts/core';

/**
 * One daemon per directory: the name of an abstract socket belongs to one process, and is free again the moment that
 * process is gone, however it went.
 * @throws LxdError `conflict`
 */
export async function lockDirectory(dir: string): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const message = `Another daemon is running on ${dir}; choose another --dir or end that one first`;
      reject(error.code === 'EADDRINUSE' ? new LxdError('conflict', message) : error);
    });
    server.listen(`\0lxd-ts:${dir}`, resolve);
  });
  server.unref();
}
