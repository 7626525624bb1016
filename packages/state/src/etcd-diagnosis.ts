import { join } from 'node:path';
import { LxdError } from '@lxd-ts/core';

/** What to do about an etcd that does not run, from the end of its log. */
export function diagnose(dir: string, log: string, how: string): LxdError {
  const data = join(dir, 'data');
  const said = lastMessages(log);
  const detail = said ? ` etcd says: ${said}` : '';
  const say = (sentence: string): LxdError => new LxdError('unavailable', `${sentence}${detail}`);

  if (/no space left on device|disk quota exceeded/i.test(log)) {
    return say(`The disk that holds ${data} is full. Free some space, then start again.`);
  }
  if (/read-only file system|permission denied/i.test(log)) {
    return say(`etcd cannot write to ${data}. Make the directory writable for root, then start again.`);
  }
  if (/too many open files/i.test(log)) {
    return say(`etcd in ${dir} may not open enough files. Raise the limit of open files, then start again.`);
  }
  if (corrupt.test(log)) {
    return say(
      `The cluster database in ${data} is damaged. Put back a backup of that directory; or, to begin with an empty ` +
        `database, move it away.`,
    );
  }
  return say(`etcd in ${dir} does not run (${how}). Its log is ${join(dir, 'etcd.log')}.`);
}

const corrupt =
  /crc mismatch|invalid database|version mismatch|checksum error|file size too small|unexpected EOF|failed to (?:recover|read|find|open|load|create) [^"]*(?:wal|snapshot|database|backend)|wal: |snap: |proto: |freelist|page \d+|panic: /i;

/** The last things it said, without the rest of each JSON line; a panic's stack is left out. */
function lastMessages(log: string): string {
  const said: string[] = [];
  for (const line of log.split('\n')) {
    if (line.startsWith('panic: ')) said.push(line);
    if (!line.startsWith('{')) continue;
    try {
      const { level, msg, error } = JSON.parse(line) as Record<string, unknown>;
      if (level === 'warn' || typeof msg !== 'string') continue;
      said.push(typeof error === 'string' ? `${msg}: ${error}` : msg);
    } catch {
      // Cut off at the start of the tail.
    }
  }
  return said.slice(-2).join('; ').slice(0, 500);
}
