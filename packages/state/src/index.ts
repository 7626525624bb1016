export * from './collections.ts';
export * from './memory-store.ts';
export * from './open-records.ts';
export * from './records.ts';
export * from './store.ts';
