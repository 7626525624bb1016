export * from './collections.ts';
export * from './election.ts';
export * from './embedded-etcd.ts';
export { openEtcdStore, type EtcdStoreOptions } from './etcd-store.ts';
export * from './memory-store.ts';
export * from './open-records.ts';
export * from './records.ts';
export * from './store.ts';
