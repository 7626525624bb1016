import type { IncomingHttpHeaders } from 'node:http';

/** The first of its values; '' where there is none. */
export const headerOf = (headers: IncomingHttpHeaders, name: string): string => {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
};
