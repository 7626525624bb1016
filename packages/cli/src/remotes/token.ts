/** What a server hands out for a client (or a member) to prove that it was invited. */
export interface Token {
  fingerprint: string;
  addresses: string[];
  secret: string;
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

/** Undefined for a text that is no token. */
export function parseToken(text: string): Token | undefined {
  if (!/^[\w+/-]{40,}={0,2}$/.test(text)) return undefined;
  try {
    const value = JSON.parse(Buffer.from(text, 'base64').toString()) as Record<string, unknown>;
    const { fingerprint, addresses, secret } = value;
    if (typeof fingerprint !== 'string' || typeof secret !== 'string' || !isTexts(addresses))
      return undefined;
    return { fingerprint, addresses, secret };
  } catch {
    return undefined;
  }
}

/** The other way. LXD wraps the metadata of the token's operation, with its own names. */
export function encodeToken(
  metadata: Readonly<Record<string, unknown>>,
  over: Record<string, unknown> = {},
): string {
  const { request, ...rest } = metadata;
  void request;
  return Buffer.from(JSON.stringify({ ...rest, ...over })).toString('base64');
}
