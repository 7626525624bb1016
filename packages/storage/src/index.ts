export * from './driver.ts';
export { storageDriver, storageDrivers } from './registry.ts';
export { snapshotsPath } from './layout.ts';
export { blockFile, checkBlockFile } from './block-file.ts';
export { mirroring } from './copy-tree.ts';
