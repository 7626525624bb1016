import { LxdError } from '@lxd-ts/core';
import type { Remote } from './remote.ts';

/** What people type for a server, as an address: `https://host:port` or `unix:///path`. */
export function parseAddress(text: string, protocol: Remote['protocol']): string {
  if (protocol === 'simplestreams') {
    if (!text.startsWith('https://'))
      throw new LxdError('invalid', 'Only https URLs are supported for simplestreams');
    return checked(text).href.replace(/\/$/, '');
  }
  if (protocol === 'oci') {
    if (!text.startsWith('https://')) throw new LxdError('invalid', 'Only https URLs are supported for oci');
    const url = checked(text);
    if (url.username !== '' || url.password !== '')
      throw new LxdError('invalid', 'The user is told by --username, not in the address');
    if (url.pathname !== '/' || url.search !== '')
      throw new LxdError(
        'invalid',
        'The address of a registry is https://HOST:PORT: what follows names an image',
      );
    return url.origin;
  }
  if (text.startsWith('/')) return `unix://${text}`;
  if (text === 'unix:' || text === 'unix://') return 'unix://';
  if (text.startsWith('unix:')) return `unix://${text.replace(/^unix:(\/\/)?/, '')}`;
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
  if (scheme !== undefined && scheme !== 'https')
    throw new LxdError('invalid', `Invalid URL scheme "${scheme}" in "${text}"`);
  const plain = text.replace(/^https:\/\//, '');
  // More than one colon outside of brackets: an IPv6 address alone.
  const host = /^[^[\]/]*:[^[\]/]*:/.test(plain) ? `[${plain}]` : plain;
  const url = checked(`https://${host}`);
  const port = /:(\d+)(\/|$)/.exec(host.replace(/^\[[^\]]*\]/, ''))?.[1] ?? '8443';
  return `https://${url.hostname}:${port}${url.pathname === '/' ? '' : url.pathname}`;
}

function checked(text: string): URL {
  try {
    return new URL(text);
  } catch (error) {
    throw new LxdError('invalid', `Invalid address "${text}"`, { cause: error });
  }
}
