import type { Operation } from '@lxd-ts/client';
import { parseToken } from '../remotes/token.ts';
import { clientTokens, memberTokens, tokenOf } from './tokens.ts';

const operation = (metadata: Record<string, unknown>): Operation => ({
  id: 'op1',
  class: 'token',
  description: 'Executing operation',
  created_at: '',
  updated_at: '',
  status: 'Running',
  status_code: 103,
  resources: null,
  metadata,
  may_cancel: true,
  err: '',
  location: 'none',
});

const common = { secret: 's', fingerprint: 'ab', addresses: ['10.0.0.7:8443'] };
const contents = (token: string): unknown => JSON.parse(Buffer.from(token, 'base64').toString());

it('tells the token of a client, which never ends unless it says so', () => {
  const { name, token } = tokenOf(clientTokens, operation({ ...common, request: { name: 'laptop' } }));
  expect(name).toBe('laptop');
  expect(parseToken(token)).toEqual(common);
  expect(contents(token)).toEqual({ client_name: 'laptop', ...common, expires_at: '0001-01-01T00:00:00Z' });
});

it('tells the token of a member', () => {
  const expiresAt = '2026-11-23T12:31:31Z';
  const { name, token } = tokenOf(memberTokens, operation({ ...common, serverName: 'm2', expiresAt }));
  expect(name).toBe('m2');
  expect(contents(token)).toEqual({ server_name: 'm2', ...common, expires_at: expiresAt });
});

it.each([
  ['2026-11-23T12:31:31.370Z', '2026-11-23T12:31:31.37Z'],
  ['2026-11-23T12:31:30.000Z', '2026-11-23T12:31:30Z'],
  ['2026-11-23T12:31:30Z', '2026-11-23T12:31:30Z'],
  ['2026-11-23T12:31:30.123Z', '2026-11-23T12:31:30.123Z'],
])('writes %s as LXD does', (expiresAt, expected) => {
  const { token } = tokenOf(memberTokens, operation({ ...common, serverName: 'm2', expiresAt }));
  expect(contents(token)).toMatchObject({ expires_at: expected });
});

it('does not take one for the other', () => {
  expect(() => tokenOf(clientTokens, operation({ ...common, serverName: 'm2' }))).toThrow('gave no token');
});
