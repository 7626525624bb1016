/** A path of the API from names that people typed. */
export const apiPath = (...parts: readonly string[]): string =>
  `/1.0/${parts.map((part) => encodeURIComponent(part)).join('/')}`;
