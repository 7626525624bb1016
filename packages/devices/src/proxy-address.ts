import { isIP } from 'node:net';
import { LxdError } from '@lxd-ts/core';

/** One side of a proxy: `tcp:127.0.0.1:80-82,90`, `unix:/path`, `unix:@name`. */
export interface ProxyAddress {
  type: 'tcp' | 'udp' | 'unix';
  /** An IP address, or the path or name. */
  host: string;
  /** None for unix. */
  ports: number[];
}

const maxPort = 65_535;
/** More processes' worth of sockets than anybody means. */
const maxPorts = 1024;

const invalid = (message: string): LxdError => new LxdError('invalid', message);

function portNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw invalid(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  const port = Number(text);
  if (port < 1 || port > maxPort) throw invalid(`Invalid port number "${text}" (1-${maxPort})`);
  return port;
}

function portRange(text: string): number[] {
  const [first = '', last] = text.split('-', 2);
  const from = portNumber(first);
  const to = last === undefined ? from : portNumber(last);
  if (last !== undefined && to <= from) throw invalid('End port should be higher than start port');
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** The address before the last colon, without the brackets of IPv6. */
function splitHost(address: string): [host: string, ports: string] {
  const bracketed = /^\[([^\]]*)\]:(.*)$/.exec(address);
  if (bracketed) return [bracketed[1] ?? '', bracketed[2] ?? ''];
  const parts = address.split(':');
  if (parts.length < 2) throw invalid(`address ${address}: missing port in address`);
  if (parts.length > 2) throw invalid(`address ${address}: too many colons in address`);
  return [parts[0] ?? '', parts[1] ?? ''];
}

/** @throws LxdError `invalid` */
export function parseProxyAddress(text: string): ProxyAddress {
  const at = text.indexOf(':');
  const type = at < 0 ? text : text.slice(0, at);
  const address = at < 0 ? '' : text.slice(at + 1);
  if (type !== 'tcp' && type !== 'udp' && type !== 'unix') throw invalid(`Unknown protocol type "${type}"`);
  if (address === '') throw invalid('Missing address');
  if (/\p{Cc}/u.test(address)) throw invalid('Must be one line of text');
  if (type === 'unix') return { type, host: address, ports: [] };
  const [host, ports] = splitHost(address);
  if (isIP(host) === 0) throw invalid(`Not an IP address "${host}"`);
  const all = ports.split(',').flatMap(portRange);
  if (all.length > maxPorts) throw invalid(`Too many ports (at most ${maxPorts})`);
  return { type, host, ports: all };
}

export const isAbstract = ({ type, host }: ProxyAddress): boolean => type === 'unix' && host.startsWith('@');

/** As one socket each: `tcp:[::1]:80`. */
export const sockets = ({ type, host, ports }: ProxyAddress): string[] =>
  type === 'unix'
    ? [`unix:${host}`]
    : ports.map((port) => `${type}:${isIP(host) === 6 ? `[${host}]` : host}:${port}`);

/** How many sockets it takes. */
export const count = ({ type, ports }: ProxyAddress): number => (type === 'unix' ? 1 : ports.length);
