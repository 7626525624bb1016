import type { BackupFile } from '@lxd-ts/rpc';
import type { Reply } from '../../http/route.ts';

/** The file of a backup, as LXD gives it out. */
export const fileReply = ({ body, size, modifiedAt }: BackupFile): Reply => ({
  kind: 'stream',
  body,
  length: size,
  headers: {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': 'inline;filename=',
    'Last-Modified': new Date(modifiedAt).toUTCString(),
  },
});
