export { deviceNameError } from './checks.ts';
export * from './driver.ts';
export { deviceDrivers, driverFor } from './registry.ts';
