import { PassThrough, Readable } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import type { ExecResult, Host, MountEntry } from './host.ts';

export interface FakeHost extends Host {
  /** Every program run, in order. */
  readonly ran: readonly (readonly string[])[];
  readonly ipLines: readonly string[];
  readonly rulesets: readonly string[];
  readonly mounted: readonly MountEntry[];
}

/** For unit tests: writes down what is asked of it. @param answer what a program says; nothing and success by default */
export function fakeHost(
  answer: (argv: readonly string[]) => Partial<ExecResult> | undefined = () => undefined,
): FakeHost {
  const ran: (readonly string[])[] = [];
  const ipLines: string[] = [];
  const rulesets: string[] = [];
  const mounted: MountEntry[] = [];
  const sysctls = new Map<string, string>();
  let pid = 1000;
  return {
    ran,
    ipLines,
    rulesets,
    mounted,
    run: async (argv, { allowFailure }) => {
      ran.push(argv);
      const result = { stdout: '', stderr: '', status: 0, ...answer(argv) };
      if (result.status !== 0 && !allowFailure)
        throw new LxdError('internal', `${argv[0]} failed: ${result.stderr}`);
      return Promise.resolve(result);
    },
    pipe: () => Promise.reject(new LxdError('unsupported', 'There are no pipes here')),
    open: (argv) => {
      ran.push(argv);
      const { stdout = '' } = answer(argv) ?? {};
      return {
        stdin: new PassThrough().resume(),
        stdout: Readable.from([Buffer.from(stdout)]),
        extra: [],
        ended: Promise.resolve(),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    },
    daemonize: (argv) => {
      ran.push(argv);
      pid += 1;
      return Promise.resolve(pid);
    },
    signalProcess: () => Promise.resolve(true),
    mounts: () => Promise.resolve(mounted),
    mount: ({ source, target, fsType = '', options = [] }) => {
      mounted.push({ source, target, fsType, options: [...options] });
      return Promise.resolve();
    },
    unmount: (target) => {
      const at = mounted.findIndex((mount) => mount.target === target);
      if (at >= 0) mounted.splice(at, 1);
      return Promise.resolve();
    },
    statfs: () => Promise.resolve({ used: 1, total: 100, inodesUsed: 1, inodesTotal: 100 }),
    ip: (lines) => {
      ipLines.push(...lines);
      return Promise.resolve();
    },
    ipJson: (args) => Promise.resolve(JSON.parse(answer(['ip', ...args])?.stdout ?? '[]') as unknown),
    nft: (ruleset) => {
      rulesets.push(ruleset);
      return Promise.resolve();
    },
    readSysctl: (path) => Promise.resolve(sysctls.get(path)),
    writeSysctl: (path, value) => {
      sysctls.set(path, value);
      return Promise.resolve();
    },
  };
}
