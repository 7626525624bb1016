const none = { name: undefined };

/**
 * The name that a TLS client asks for, from the first bytes of its connection (RFC 8446 §4.1.2, RFC 6066 §3).
 * `more`: there must be more bytes first. No name: it asks for none, or this is no TLS.
 */
export function serverNameOf(bytes: Buffer): { name: string | undefined } | 'more' {
  const record = 5;
  if (bytes.length < record) return bytes.length > 0 && bytes[0] !== 0x16 ? none : 'more';
  if (bytes[0] !== 0x16) return none;
  const end = record + bytes.readUInt16BE(3);
  if (bytes.length < end) return 'more';
  try {
    return { name: nameIn(bytes.subarray(record, end)) };
  } catch {
    return none; // a length that points past the end: TLS itself will refuse it
  }
}

function nameIn(hello: Buffer): string | undefined {
  if (hello[0] !== 1) return undefined;
  let at = 4 + 2 + 32; // type and length, version, random
  at += 1 + hello.readUInt8(at); // session
  at += 2 + hello.readUInt16BE(at); // cipher suites
  at += 1 + hello.readUInt8(at); // compression methods
  const end = at + 2 + hello.readUInt16BE(at);
  for (at += 2; at < end;) {
    const type = hello.readUInt16BE(at);
    const length = hello.readUInt16BE(at + 2);
    // A list's length, the kind of name (0: host), its length, the name.
    if (type === 0 && hello.readUInt8(at + 6) === 0) {
      const size = hello.readUInt16BE(at + 7);
      return hello.toString('latin1', at + 9, at + 9 + size);
    }
    at += 4 + length;
  }
  return undefined;
}
