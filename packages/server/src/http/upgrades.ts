import type { IncomingMessage } from 'node:http';

const protocols = ['websocket', 'sftp'];

/** Whether an upgrade is taken up. Any other offer (HTTP/2) is declined by an answer of the usual kind. */
export const upgrades = ({ headers }: IncomingMessage): boolean =>
  protocols.includes(headers.upgrade?.toLowerCase() ?? '');
