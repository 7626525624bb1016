import { open, readFile } from 'node:fs/promises';
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

test('feeds input from text and from files, whose position tells how far it is', async () => {
  expect((await run(['cat'], { signal, input: 'abc' })).stdout).toBe('abc');
  await using file = await open(import.meta.filename);
  const text = await readFile(import.meta.filename, 'utf8');
  expect((await run(['cat'], { signal, input: file.fd })).stdout).toBe(text);
  expect(await readFile(`/proc/self/fdinfo/${file.fd}`, 'utf8')).toMatch(
    `pos:\t${Buffer.byteLength(text)}\n`,
  );
});

test('ends the program when aborted', async () => {
  const begin = Date.now();
  await expect(run(['sleep', '60'], { signal: AbortSignal.timeout(50) })).rejects.toThrow(/abort|timeout/i);
  expect(Date.now() - begin).toBeLessThan(10_000);
});

test('ends what the program started, also when it does not listen', async () => {
  const begin = Date.now();
  const stubborn = 'trap "" TERM; sleep 60 & wait; sleep 60';
  await expect(run(['sh', '-c', stubborn], { signal: AbortSignal.timeout(50) })).rejects.toThrow();
  expect(Date.now() - begin).toBeLessThan(10_000);
});

test('tells which signal ended it, and keeps only the end of endless complaints', async () => {
  expect((await run(['sh', '-c', 'kill -9 $$'], { signal, allowFailure: true })).status).toBe(137);
  const { stderr } = await run(['sh', '-c', 'seq 1 200000 >&2'], { signal });
  expect(stderr.length).toBeLessThanOrEqual(64 * 1024);
  expect(stderr.endsWith('200000\n')).toBe(true);
});

test('the environment is bare, and in English', async () => {
  const { stdout } = await run(['env'], { signal, env: { GIVEN: '1' } });
  expect(stdout).toContain('LC_ALL=C\n');
  expect(stdout).toContain('GIVEN=1\n');
  expect(stdout).not.toContain('HOME=');
});
