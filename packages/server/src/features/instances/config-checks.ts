import { parseSize, signalNumber, splitWords, toLxdError } from '@lxd-ts/core';
import { parse } from 'yaml';

type Check = (value: string) => string | undefined;

const pgBool = /^(true|false|1|0|yes|no|on|off)$/i;

export const any: Check = () => undefined;

export const bool: Check = (value) =>
  pgBool.test(value) ? undefined : `Invalid value for a boolean "${value}"`;

export const integer: Check = (value) =>
  /^[+-]?\d+$/.test(value) ? undefined : `Invalid value for an integer "${value}"`;

export const uint32: Check = (value) =>
  /^\d+$/.test(value) && Number(value) < 2 ** 32
    ? undefined
    : `Invalid value for uint32 "${value}": not a whole number from 0 to 4294967295`;

/** 0 to 10, as priorities are. */
export const priority: Check = (value) =>
  integer(value) ??
  (Number(value) >= 0 && Number(value) <= 10
    ? undefined
    : `Invalid value for a limit "${value}". Must be between 0 and 10`);

/** At least one of something, or -1 for no limit. */
export const count: Check = (value) =>
  integer(value) ??
  (Number(value) >= -1 ? undefined : `Invalid value "${value}": a number from 0, or -1 for no limit`);

export const size: Check = (value) => {
  try {
    parseSize(value);
    return undefined;
  } catch {
    return `Invalid value: ${value}`;
  }
};

/** A size, or a share of the host's. */
export const memory: Check = (value) => {
  const wrong = /^\d+%$/.test(value) ? undefined : size(value);
  return (
    wrong ?? (parseInt(value) === 0 ? `Memory limit can't be ${value.endsWith('%') ? '0%' : '0'}` : undefined)
  );
};

export const oneOf =
  (...values: string[]): Check =>
  (value) =>
    values.includes(value) ? undefined : `Invalid value "${value}" (not one of [${values.join(' ')}])`;

/** A number of CPUs, or a set of them: `2`, `0-3`, `0,2,4-5`. */
export const cpus: Check = (value) => {
  if (!/^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/.test(value)) return 'Invalid CPU limit syntax';
  const seen = new Set<number>();
  for (const part of value.split(',')) {
    const [from = 0, to = from] = part.split('-').map(Number);
    for (let cpu = from; cpu <= to; cpu++) {
      if (seen.has(cpu)) return 'Cannot define CPU multiple times';
      seen.add(cpu);
    }
  }
  return undefined;
};

/** `50%`, or time in a period: `25ms/100ms`. */
export const cpuAllowance: Check = (value) =>
  /^\d+%$|^0*[1-9]\d*(ms)?\/0*[1-9]\d*(ms)?$/.test(value) ? undefined : `Invalid allowance: ${value}`;

export const uuid: Check = (value) =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value) ? undefined : 'Invalid UUID';

export const hwaddr: Check = (value) =>
  /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(value)
    ? undefined
    : 'Invalid MAC address, must be 6 bytes of hex separated by colons';

const cronField = /^(\*|\d+(-\d+)?)(\/\d+)?(,(\*|\d+(-\d+)?)(\/\d+)?)*$/;
const cronNames = [
  '@hourly',
  '@daily',
  '@midnight',
  '@weekly',
  '@monthly',
  '@annually',
  '@yearly',
  '@startup',
];

/** A cron line, or names such as `@daily`, separated by commas. */
export const schedule: Check = (value) => {
  if (value.split(/\s*,\s*/).every((part) => cronNames.includes(part))) return undefined;
  const fields = value.trim().split(/\s+/);
  return fields.length === 5 && fields.every((field) => cronField.test(field))
    ? undefined
    : 'Schedule must be of the form: <minute> <hour> <day-of-month> <month> <day-of-week>';
};

/** `1M 2H 3d 4w 5m 6y`, each unit at most once. */
export const expiry: Check = (value) => {
  const parts = value.trim().split(/\s+/);
  const seen = new Set(parts.map((part) => part.at(-1)));
  return parts.every((part) => /^\d+[MHdwmy]$/.test(part)) && seen.size === parts.length
    ? undefined
    : 'Invalid expiry expression';
};

/** RFC 3339. */
export const time: Check = (value) =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value) && !Number.isNaN(Date.parse(value))
    ? undefined
    : `Invalid value "${value}": a time is written as 2030-12-31T23:59:59Z`;

/** What the daemon decides itself cannot be set in `raw.lxc`. */
export const rawLxc: Check = (value) => {
  for (const line of value.split('\n')) {
    if (/^\s*(#|$)/.test(line)) continue;
    const at = line.indexOf('=');
    if (at < 0) return `Invalid raw.lxc line: ${line.trim()}`;
    const key = line.slice(0, at).trim().toLowerCase();
    if (key === 'lxc.log.file' || key === 'lxc.logfile') return 'Setting lxc.logfile is not allowed';
    if (key === 'lxc.syslog' || key === 'lxc.log.syslog') return 'Setting lxc.log.syslog is not allowed';
    if (key === 'lxc.ephemeral') return 'Setting lxc.ephemeral is not allowed';
    if (key.startsWith('lxc.prlimit.'))
      return 'Process limits should be set via "limits.kernel.[limit name]" and not directly via "lxc.prlimit.[limit name]"';
    if (key.startsWith('lxc.net.') && !/^lxc\.net\.\d+\.ipv[46]\./.test(key))
      return 'Only interface-specific ipv4/ipv6 lxc.net. keys are allowed';
  }
  return undefined;
};

const idRange = /^\d+(-\d+)?$/;
const widthOf = (range: string): number => {
  const [from = 0, to = from] = range.split('-').map(Number);
  return to - from;
};

/** Lines of `both|uid|gid HOST INSIDE`, each a number or a range. */
export const rawIdmap: Check = (value) => {
  for (const line of value.split('\n').filter((text) => text.trim() !== '')) {
    const [kind = '', host = '', inside = '', ...rest] = line.trim().split(/\s+/);
    if (inside === '' || rest.length > 0) return `Invalid ID map line "${line}"`;
    if (!idRange.test(host) || !idRange.test(inside)) return `Invalid ID map line "${line}"`;
    if (widthOf(host) !== widthOf(inside)) return `The ID map ranges are of different sizes "${line}"`;
    if (!['both', 'uid', 'gid'].includes(kind)) return `Invalid ID map type "${line}"`;
  }
  return undefined;
};

/** Names separated by commas. */
export const labels: Check = (value) =>
  value.split(',').every((label) => /^[A-Za-z0-9]([A-Za-z0-9._-]{0,62})$/.test(label.trim()))
    ? undefined
    : `Invalid value "${value}": labels are letters, digits, dots, dashes and underscores, separated by commas`;

/** A command, quoted as for a shell. */
export const words: Check = (value) => {
  if (value.includes('\0')) return 'A command cannot have a null character';
  try {
    return splitWords(value).length > 0 ? undefined : 'A command must have a word';
  } catch (error) {
    return toLxdError(error).message;
  }
};

export const path: Check = (value) =>
  /^\/[^\n\r\0]*$/.test(value) && !value.split('/').includes('..')
    ? undefined
    : `Invalid value "${value}": an absolute path inside`;

export const signal: Check = (value) =>
  signalNumber(value) === undefined ? `Invalid value "${value}": a signal by name or number` : undefined;

/** A user, and perhaps a group. */
export const user: Check = (value) =>
  /^[^\s:]+(:[^\s:]+)?$/.test(value) ? undefined : `Invalid value "${value}": USER or USER:GROUP`;

const yamlProblem = (value: string): string | undefined => {
  try {
    parse(value, { maxAliasCount: 20 });
    return undefined;
  } catch (error) {
    return `yaml: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`;
  }
};

/** A map in YAML. */
export const networkConfig: Check = (value) => {
  const problem = yamlProblem(value);
  if (problem !== undefined) return problem;
  const found: unknown = parse(value, { maxAliasCount: 20 });
  const isMap = typeof found === 'object' && !Array.isArray(found);
  return isMap ? undefined : 'yaml: a network configuration is a map';
};

/** Anything; what says that it is a cloud-config must be YAML. */
export const cloudConfig: Check = (value) =>
  value.startsWith('#cloud-config\n') ? yamlProblem(value) : undefined;
