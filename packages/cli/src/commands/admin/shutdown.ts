import { LxdError } from '@lxd-ts/core';
import { events } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import type { Context } from '../../base/context.ts';

/** Resolves when the daemon closes this connection, which it does when it ends. */
async function gone(context: Context, signal: AbortSignal, onOpen: () => void): Promise<void> {
  for await (const event of events(context.client, { types: ['lifecycle'], signal, onOpen }))
    if (signal.aborted || !event.type) return;
}

export default command({
  usage: '',
  arity: [0, 0],
  description: 'Stops every instance cleanly, then the daemon; returns when both have ended.',
  examples: [['admin shutdown --timeout 60', 'Give up waiting after a minute (the shutdown goes on)']],
  flags: {
    force: { kind: 'boolean', short: 'f', help: "Don't wait for running operations" },
    timeout: {
      kind: 'number',
      short: 't',
      value: 'seconds',
      help: 'How long to wait (default: as long as it takes)',
    },
  },
  async run(shell, _args, { force, timeout = 0 }) {
    const context = await shell.on('local');
    const stop = new AbortController();
    const timer =
      timeout > 0
        ? setTimeout(() => {
            stop.abort();
          }, timeout * 1000)
        : undefined;
    const listening = Promise.withResolvers<undefined>();
    const ended = gone(context, stop.signal, () => {
      listening.resolve(undefined);
    });
    try {
      await Promise.race([listening.promise, ended]);
      await context.client.change('PUT', '/internal/shutdown', {
        query: { force: force ? 'true' : undefined },
        signal: stop.signal,
      });
      await ended;
    } catch (error) {
      if (stop.signal.aborted)
        throw new LxdError('timeout', `The daemon was still running after ${timeout} seconds`);
      throw error;
    } finally {
      clearTimeout(timer);
      stop.abort();
    }
    return undefined;
  },
});
