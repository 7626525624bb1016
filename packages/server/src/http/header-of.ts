import type { IncomingHttpHeaders } from 'node:http';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The first of its values, '' where there is none. What is not ASCII is UTF-8, as clients send it; else it is taken byte by byte. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  const text = (Array.isArray(value) ? value[0] : value) ?? '';
  try {
    return utf8.decode(Buffer.from(text, 'latin1'));
  } catch {
    return text;
  }
}
