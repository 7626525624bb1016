export * from './driver.ts';
export { networkDriver, networkDrivers } from './registry.ts';
