export { deviceNameError } from './checks.ts';
export * from './driver.ts';
export { deviceDrivers, driverFor } from './registry.ts';
export { lxcLines } from './lxc-lines.ts';
