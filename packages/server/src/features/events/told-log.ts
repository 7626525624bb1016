import type { Logger } from '../../services.ts';
import type { EventHub } from './hub.ts';

/** A log that those who listen on `/1.0/events` read too, at every level, as LXD's. */
export function toldLog(log: Logger, hub: Pick<EventHub, 'logging'>): Logger {
  return {
    debug: (message, fields) => {
      log.debug(message, fields);
      hub.logging('debug', message, fields);
    },
    info: (message, fields) => {
      log.info(message, fields);
      hub.logging('info', message, fields);
    },
    warn: (message, fields) => {
      log.warn(message, fields);
      hub.logging('warning', message, fields);
    },
    error: (message, fields) => {
      log.error(message, fields);
      hub.logging('error', message, fields);
    },
  };
}
