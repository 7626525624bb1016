import { codeOfHttpStatus, LxdError } from '@lxd-ts/core';
import type { Operation } from './types.ts';

/** What every JSON answer of LXD is wrapped in. */
interface Envelope {
  type: 'sync' | 'async' | 'error';
  metadata?: unknown;
  operation?: string;
  error?: string;
  error_code?: number;
}

export type Reply = { kind: 'sync'; metadata: unknown } | { kind: 'operation'; operation: Operation };

const isEnvelope = (value: unknown): value is Envelope =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

/** Opens the envelope; an error in it, or anything that is no envelope, is thrown as an LxdError. */
export function openEnvelope(status: number, text: string): Reply {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  if (!isEnvelope(body)) {
    const shown = text.trim().slice(0, 200) || 'an empty answer';
    throw new LxdError(
      status >= 400 ? codeOfHttpStatus(status) : 'internal',
      `The server answered ${status}: ${shown}`,
    );
  }
  if (body.type === 'error' || status >= 400) {
    throw new LxdError(
      codeOfHttpStatus(body.error_code || status),
      body.error || `The server answered ${status}`,
    );
  }
  if (body.type === 'async') return { kind: 'operation', operation: body.metadata as Operation };
  return { kind: 'sync', metadata: body.metadata };
}
