import { fakeHost } from '@lxd-ts/host';
import { ProjectQuotas } from './project-quotas.ts';

const wait = { signal: AbortSignal.timeout(10_000) };
const program = '/q';

/** A filesystem with these directories that count, or one that cannot. */
function setUp(used: Record<string, number> | undefined) {
  const host = fakeHost(([, verb, ...paths]) => {
    if (!used) return { status: 2, stderr: '/d: No such process' };
    return verb === 'used' ? { stdout: paths.map((path) => `${used[path] ?? '-'}\n`).join('') } : {};
  });
  return { asked: host.ran, quotas: new ProjectQuotas({ host, quotaProgram: program }, '/pool') };
}

test('a limit, and none', async () => {
  const { asked, quotas } = setUp({});
  expect(await quotas.limit('/d', 5000, wait)).toBe(true);
  expect(await quotas.limit('/d', undefined, wait)).toBe(true);
  expect(asked).toEqual([
    [program, 'limit', '/d', '5000'],
    [program, 'limit', '/d', '0'],
  ]);
});

test('what many ask at once, one process answers', async () => {
  const { asked, quotas } = setUp({ '/a': 4096, '/c': 0 });
  expect(await Promise.all(['/a', '/b', '/c'].map((path) => quotas.used(path)))).toEqual([
    4096,
    undefined,
    0,
  ]);
  expect(asked).toEqual([[program, 'used', '/a', '/b', '/c']]);
});

test('a filesystem that cannot is asked once, until another may be there', async () => {
  const { asked, quotas } = setUp(undefined);
  expect(await quotas.limit('/d', 5000, wait)).toBe(false);
  expect([await quotas.used('/a'), await quotas.used('/a')]).toEqual([undefined, undefined]);
  expect(asked).toHaveLength(2);
  quotas.forget();
  await quotas.used('/a');
  expect(asked).toHaveLength(3);
});
