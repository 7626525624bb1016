import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';

const intervalMs = 100;

export default command({
  usage: '',
  arity: [0, 0],
  description: 'Returns when the daemon answers and has started what should be running.',
  examples: [['admin waitready --timeout 30', 'Give up after 30 seconds']],
  flags: {
    timeout: {
      kind: 'number',
      short: 't',
      value: 'seconds',
      help: 'Give up after this long (default: never)',
    },
  },
  async run(shell, _args, { timeout = 0 }) {
    const context = await shell.on('local');
    const signal = timeout > 0 ? AbortSignal.timeout(timeout * 1000) : undefined;
    let last = 'it did not answer';
    for (;;) {
      try {
        await context.client.get('/internal/ready', { signal });
        return undefined;
      } catch (error) {
        // Waiting cannot help against these.
        if (error instanceof LxdError && error.code === 'forbidden') throw error;
        if (error instanceof LxdError) last = error.message;
      }
      await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
      if (signal?.aborted)
        throw new LxdError('timeout', `The daemon is not ready after ${timeout} seconds: ${last}`);
    }
  },
});
