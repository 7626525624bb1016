import { parseAddress } from './address.ts';
import { parseToken } from './token.ts';

describe('parseAddress', () => {
  it.each([
    ['10.0.0.7', 'https://10.0.0.7:8443'],
    ['10.0.0.7:443', 'https://10.0.0.7:443'],
    ['https://10.0.0.7', 'https://10.0.0.7:8443'],
    ['https://host.example:9000/', 'https://host.example:9000'],
    ['fd42::1', 'https://[fd42::1]:8443'],
    ['[fd42::1]:9000', 'https://[fd42::1]:9000'],
    ['/run/a.socket', 'unix:///run/a.socket'],
    ['unix:/run/a.socket', 'unix:///run/a.socket'],
    ['unix:///run/a.socket', 'unix:///run/a.socket'],
  ])('%s', (text, expected) => {
    expect(parseAddress(text, 'lxd')).toBe(expected);
  });

  it('refuses what cannot be reached safely', () => {
    expect(() => parseAddress('http://a', 'lxd')).toThrow('Invalid URL scheme "http" in "http://a"');
    expect(() => parseAddress('a b', 'lxd')).toThrow('Invalid address');
    expect(() => parseAddress('a', 'simplestreams')).toThrow('Only https URLs are supported');
    expect(parseAddress('https://a/b/', 'simplestreams')).toBe('https://a/b');
  });
});

describe('parseToken', () => {
  const token = { fingerprint: 'ab', addresses: ['10.0.0.7:8443'], secret: 's' };
  it('reads tokens and nothing else', () => {
    const text = Buffer.from(JSON.stringify({ client_name: 'me', ...token })).toString('base64');
    expect(parseToken(text)).toEqual(token);
    expect(parseToken('10.0.0.7')).toBeUndefined();
    expect(parseToken('a'.repeat(60))).toBeUndefined();
    expect(
      parseToken(Buffer.from(JSON.stringify({ ...token, secret: 1 })).toString('base64')),
    ).toBeUndefined();
  });
});
