import { constants } from 'node:os';

const firstRealTime = 34;
const lastRealTime = 64;

/** A signal by its name (`SIGTERM`, `TERM`, `SIGRTMIN+3`) or number; undefined: it is none. */
export function signalNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) >= 1 && Number(text) <= lastRealTime ? Number(text) : undefined;
  const name = text.toUpperCase().replace(/^(SIG)?/, 'SIG');
  const realTime = /^SIGRT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (realTime) {
    const [, from, sign, count = '0'] = realTime;
    const number = (from === 'MIN' ? firstRealTime : lastRealTime) + Number(count) * (sign === '-' ? -1 : 1);
    return number >= firstRealTime && number <= lastRealTime ? number : undefined;
  }
  const known: Readonly<Record<string, number>> = constants.signals;
  return Object.hasOwn(known, name) ? known[name] : undefined;
}
