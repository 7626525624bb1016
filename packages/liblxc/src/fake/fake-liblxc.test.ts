import { liblxcSuite } from '../testing/liblxc-suite.ts';
import { fakeLiblxc, FakeContainers } from './fake-liblxc.ts';

describe('fake liblxc', () => {
  liblxcSuite(async () => {
    const containers = new FakeContainers();
    const failStart = ({ name }: { name: string }) =>
      name === 'broken' ? 'No such file or directory' : undefined;
    const open = () => fakeLiblxc({ containers, failStart });
    const request = (name: string) =>
      ({ name, configFile: '/none', logFile: '/none', logLevel: 'WARN' }) as const;
    return {
      liblxc: open(),
      again: open,
      request: request('box'),
      other: request('other'),
      broken: request('broken'),
      [Symbol.asyncDispose]: async () => undefined,
    };
  });

  test('a command of the test itself', async () => {
    const liblxc = fakeLiblxc({ programs: { answer: () => 42 } });
    const signal = AbortSignal.timeout(1000);
    await liblxc.start({ name: 'c', configFile: '/none', logFile: '/none', logLevel: 'WARN' }, { signal });
    const request = { name: 'c', argv: ['answer'], environment: {}, uid: 0, gid: 0, cwd: '/' };
    await using process = await liblxc.exec(request, { signal });
    expect(await process.exited).toBe(42);
  });
});
