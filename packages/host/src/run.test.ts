import { Readable } from 'node:stream';
import { run } from './run.ts';

const { signal } = new AbortController();

test('gives output and status', async () => {
  expect(await run(['sh', '-c', 'echo out; echo err >&2'], { signal })).toEqual({
    stdout: 'out\n',
    stderr: 'err\n',
    status: 0,
  });
  expect((await run(['sh', '-c', 'exit 3'], { signal, allowFailure: true })).status).toBe(3);
});

test('a failure names the program and its last words', async () => {
  await expect(run(['sh', '-c', 'echo no space >&2; exit 1'], { signal })).rejects.toThrow(
    'sh failed: no space',
  );
  await expect(run(['no-such-program'], { signal })).rejects.toThrow(
    'Cannot run no-such-program: it is not installed',
  );
});

test('feeds input from text and streams', async () => {
  expect((await run(['cat'], { signal, input: 'abc' })).stdout).toBe('abc');
  expect((await run(['cat'], { signal, input: Readable.from(['x', 'y']) })).stdout).toBe('xy');
});

test('ends the program when aborted', async () => {
  const begin = Date.now();
  await expect(run(['sleep', '60'], { signal: AbortSignal.timeout(50) })).rejects.toThrow(/abort|timeout/i);
  expect(Date.now() - begin).toBeLessThan(10_000);
});
