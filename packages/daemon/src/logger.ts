import { pino } from 'pino';
import type { Logger } from '@lxd-ts/server';

/** JSON lines on standard output or in a file that only root reads. */
export function openLogger(level: string, logfile: string | undefined): Logger {
  const destination = pino.destination(
    logfile === undefined
      ? { dest: 1, sync: true }
      : // Whole lines on disk at any moment: the last ones tell why a daemon ended.
        { dest: logfile, sync: true, append: true, mode: 0o600 },
  );
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    error: (message, fields) => log.error(fields ?? {}, message),
  };
}
