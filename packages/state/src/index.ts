export * from './collections.ts';
export * from './records.ts';
export * from './store.ts';
