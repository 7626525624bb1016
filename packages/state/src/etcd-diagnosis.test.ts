import { diagnose } from './etcd-diagnosis.ts';

const line = (level: string, msg: string, error?: string): string => JSON.stringify({ level, msg, error });

test.each([
  ['panic: write /d/data/member/wal: no space left on device', 'is full'],
  [line('fatal', 'cannot access', 'open data: permission denied'), 'writable for root'],
  ['panic: freepages: failed to get all reachable pages', 'is damaged'],
  [line('fatal', 'discovery failed', 'walpb: crc mismatch'), 'is damaged'],
  [line('panic', 'failed to open database', 'invalid database'), 'is damaged'],
  [line('fatal', 'discovery failed', 'listen: too many open files'), 'limit of open files'],
  ['', 'does not run (exit code 1)'],
])('%s', (log, sentence) => {
  const { code, message } = diagnose('/d', log, 'exit code 1');
  expect(code).toBe('unavailable');
  expect(message).toContain(sentence);
  expect(message).toContain('/d');
});

test('quotes what etcd said last, without its warnings', () => {
  const log = [line('warn', 'slow'), line('error', 'bad thing', 'why'), line('warn', 'later')].join('\n');
  expect(diagnose('/d', log, 'x').message).toMatch(/etcd says: bad thing: why$/);
});
