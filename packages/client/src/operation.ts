import { codeOfHttpStatus, LxdError } from '@lxd-ts/core';
import type { Client } from './client.ts';
import { events } from './events.ts';
import type { Operation } from './types.ts';

export interface WaitOptions {
  /** Told whenever the operation's record changes. Costs a websocket: leave it out when nobody looks. */
  onProgress?: ((operation: Operation) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export const operationPath = (operation: { id: string }): string => `/1.0/operations/${operation.id}`;

/** Throws what an operation ended with, unless it ended well. */
export function settled(operation: Operation): Operation {
  if (operation.status_code < 400) return operation;
  const cancelled = operation.status_code === 401;
  throw new LxdError(
    cancelled ? 'cancelled' : codeOfHttpStatus(operation.status_code),
    operation.err ||
      (cancelled ? 'The operation was cancelled' : `The operation ended as ${operation.status}`),
  );
}

async function watch(
  client: Client,
  id: string,
  onProgress: (operation: Operation) => void,
  signal: AbortSignal,
) {
  try {
    for await (const event of events(client, { types: ['operation'], signal })) {
      const operation = event.metadata as unknown as Operation;
      if (operation.id === id && operation.status_code < 200) onProgress(operation);
    }
  } catch {
    // Progress is a courtesy: whether the operation went well is told by /wait.
  }
}

/** Waits for the end. Throws the operation's own error when it failed or was cancelled. */
export async function waitForOperation(
  client: Client,
  operation: Operation,
  options: WaitOptions = {},
): Promise<Operation> {
  const { onProgress, signal } = options;
  if (operation.status_code >= 200) return settled(operation);
  const done = new AbortController();
  if (onProgress) void watch(client, operation.id, onProgress, done.signal);
  try {
    return settled(await client.get<Operation>(`${operationPath(operation)}/wait`, { signal }));
  } finally {
    done.abort();
  }
}

/** The one line of text that an operation tells about its progress, if any: LXD uses keys that end in `_progress`. */
export function progressText(operation: Operation): string | undefined {
  for (const [key, value] of Object.entries(operation.metadata ?? {})) {
    if (key.endsWith('_progress') && typeof value === 'string') return value;
  }
  return undefined;
}
