import { GuessLimit, hashPassword, isPassword } from './password.ts';
import { secretOf } from './trust-tokens.ts';

test('a password is known by its hash, and never twice the same', async () => {
  const hash = await hashPassword('correct horse');
  expect(hash).toMatch(/^scrypt:[0-9a-f]{32}:[0-9a-f]{64}$/);
  expect(hash).not.toBe(await hashPassword('correct horse'));
  expect(await isPassword('correct horse', hash)).toBe(true);
  expect(await isPassword('correct horse ', hash)).toBe(false);
  expect(await isPassword('', '')).toBe(false);
});

test('guesses are limited for each address and for all, and forgiven after a while', () => {
  const at = { ms: 0 };
  const limit = new GuessLimit(() => at.ms);
  for (let i = 0; i < 10; i++) limit.wrong('a');
  expect(limit.allows('a')).toBe(false);
  expect(limit.allows('b')).toBe(true);
  for (let i = 0; i < 90; i++) limit.wrong(`x${i}`);
  expect(limit.allows('b')).toBe(false);
  at.ms += 60_001;
  expect(limit.allows('a')).toBe(true);
});

test('what is no token is a password', () => {
  const token = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
  expect(secretOf(token({ client_name: 'x', secret: 's' }))).toBe('s');
  expect(secretOf(token({ secret: 5 }))).toBeUndefined();
  expect(secretOf(token(null))).toBeUndefined();
  expect(secretOf('correct horse')).toBeUndefined();
});
