export { registry } from './registry.ts';
export { run } from './run.ts';
