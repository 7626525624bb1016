import { LxdError } from '@lxd-ts/core';
import { operationPath, type Operation } from '@lxd-ts/client';
import { isUnsetTime, shortTime } from '../format/units.ts';
import { encodeToken } from '../remotes/token.ts';
import type { Context } from './context.ts';
import { parseFormat, type Output } from './output.ts';

/** A kind of token that a server hands out, and how its operations are told from others. */
export interface TokenKind {
  who: 'client_name' | 'server_name';
  /** Of the record that is listed. */
  field: 'ClientName' | 'ServerName';
  nameOf: (metadata: Readonly<Record<string, unknown>>) => string | undefined;
}

const textOr = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

export const clientTokens: TokenKind = {
  who: 'client_name',
  field: 'ClientName',
  nameOf: ({ request }) => textOr((request as Record<string, unknown> | undefined)?.['name']),
};

export const memberTokens: TokenKind = {
  who: 'server_name',
  field: 'ServerName',
  nameOf: ({ serverName }) => textOr(serverName),
};

interface Issued {
  name: string;
  token: string;
  expires: string;
  operation: Operation;
}

/** The token of an operation that was just started. */
export function tokenOf(kind: TokenKind, operation: Operation | undefined): { name: string; token: string } {
  const metadata = operation?.metadata;
  const name = metadata ? kind.nameOf(metadata) : undefined;
  if (!metadata || name === undefined) throw new LxdError('internal', 'The server gave no token');
  return { name, token: encodeToken(metadata, kind.who, name) };
}

/** Those that can still be used. */
async function issued(context: Context, kind: TokenKind): Promise<Issued[]> {
  const groups = await context.client.get<Record<string, Operation[] | null>>('/1.0/operations', {
    query: { recursion: 1 },
  });
  return Object.values(groups)
    .flatMap((group) => group ?? [])
    .flatMap((operation) => {
      const { class: type, status, metadata } = operation;
      const name = metadata ? kind.nameOf(metadata) : undefined;
      if (type !== 'token' || status !== 'Running' || !metadata || name === undefined) return [];
      const expires = textOr(metadata['expiresAt']);
      return [
        {
          name,
          token: encodeToken(metadata, kind.who, name),
          expires: expires === undefined || isUnsetTime(expires) ? '' : shortTime(expires),
          operation,
        },
      ];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export async function listTokens(
  context: Context,
  kind: TokenKind,
  format: string | undefined,
): Promise<Output> {
  const tokens = await issued(context, kind);
  return {
    kind: 'list',
    format: parseFormat(format),
    header: ['NAME', 'TOKEN', 'EXPIRES AT'],
    rows: tokens.map(({ name, token, expires }) => [name, token, expires]),
    records: tokens.map(({ name, token, expires }) => ({
      [kind.field]: name,
      Token: token,
      ExpiresAt: expires,
    })),
  };
}

/** Makes the tokens of a name useless; tells whether there were any. */
export async function revokeTokens(context: Context, kind: TokenKind, name: string): Promise<boolean> {
  const tokens = (await issued(context, kind)).filter((one) => one.name === name);
  for (const { operation } of tokens) await context.client.change('DELETE', operationPath(operation));
  return tokens.length > 0;
}
