import { readFile } from 'node:fs/promises';
import { LxdError } from '@lxd-ts/core';
import { runTool } from './run-tool.ts';

describe('a program', () => {
  it('tells what it said, and how it failed', async () => {
    expect(await runTool('cat', [], { input: 'in' })).toBe('in');
    await expect(runTool('sh', ['-c', 'echo why >&2; exit 3'])).rejects.toThrow('sh failed (3): why');
    await expect(runTool('/not/there', [])).rejects.toThrow('is it installed?');
  });

  it('ends with all that it has started, and is waited for', async () => {
    const stop = new AbortController();
    const lines: string[] = [];
    const ran = runTool('sh', ['-c', 'sleep 100 & echo "pid $!" >&2; wait'], {
      signal: stop.signal,
      onLine: (line) => {
        lines.push(line);
        stop.abort(new LxdError('cancelled', 'enough'));
      },
    });
    await expect(ran).rejects.toThrow('enough');
    const pid = Number(lines[0]?.split(' ')[1]);
    expect(pid).toBeGreaterThan(0);
    // Dead, or waiting to be buried by whoever is left.
    const state = () => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
    while (!/\) [ZX]/.test(await state())) await new Promise((next) => setTimeout(next, 10));
  });
});
