export * from './liblxc.ts';
export { openLiblxc } from './open-liblxc.ts';
export { fakeLiblxc, FakeContainers, type FakeLiblxcOptions } from './fake/fake-liblxc.ts';
export type { FakeProcess, FakeProgram } from './fake/programs.ts';
