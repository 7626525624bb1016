export * from './liblxc.ts';
export { openLiblxc } from './open-liblxc.ts';
