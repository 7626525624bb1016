import { readFileSync } from 'node:fs';
import { openPipe } from './open-pipe.ts';
import { openProgram } from './open-program.ts';

const signal = AbortSignal.timeout(30_000);

test("a program's output through a pipe ends when the program does", async () => {
  const { read, write } = await openPipe({ signal });
  await using program = openProgram(['echo', 'hello'], { signal, output: write });
  expect(readFileSync(read, 'utf8')).toBe('hello\n');
  await program.ended;
});

test('a program that is not started any more leaves the pipe closed', async () => {
  const { read, write } = await openPipe({ signal });
  const aborted = AbortSignal.abort(new Error('over'));
  expect(() => openProgram(['echo', 'hello'], { signal: aborted, output: write })).toThrow('over');
  expect(readFileSync(read, 'utf8')).toBe('');
});
