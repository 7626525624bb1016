import type { Readable, Writable } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import type { Client } from './client.ts';
import { openFd, terminalControl, type TerminalControl } from './exec.ts';
import { pipeFrom, pipeTo } from './socket-streams.ts';

export interface ConsoleSession extends TerminalControl {
  /** Resolves when the instance's side closes or after `detach`. */
  closed: Promise<void>;
  detach(): void;
}

/** Attaches to an instance's console. */
export async function attachConsole(
  client: Client,
  instance: string,
  streams: { stdin: Readable; stdout: Writable },
  size: { width: number; height: number },
  options: { signal?: AbortSignal } = {},
): Promise<ConsoleSession> {
  const operation = await client.change('POST', `/1.0/instances/${encodeURIComponent(instance)}/console`, {
    body: { ...size, type: 'console' },
    signal: options.signal,
  });
  if (!operation) throw new LxdError('internal', 'The server started no operation for the console');
  const [control, terminal] = await Promise.all([
    openFd(client, operation, 'control', options.signal),
    openFd(client, operation, '0', options.signal),
  ]);
  pipeFrom(streams.stdin, terminal, { endOfFile: false });
  const closed = pipeTo(terminal, streams.stdout).then(() => {
    control.close();
  });
  return {
    ...terminalControl(control),
    closed,
    detach: () => {
      terminal.close();
      control.close();
    },
  };
}
