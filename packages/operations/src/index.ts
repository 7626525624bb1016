export * from './operations.ts';
export { openOperations, type OperationsOptions } from './open-operations.ts';
