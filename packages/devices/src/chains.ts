import { projectPrefixed } from '@lxd-ts/core';
import type { DeviceContext } from './driver.ts';

/** For the name of a chain, which may hold letters, digits, dots, dashes and underscores. */
const safe = (text: string): string =>
  text.replace(/[^A-Za-z0-9.-]/g, (char) => `_${char.charCodeAt(0).toString(16)}_`);

/** The chain of a device: `prert.c1.web`. */
export const chainOf = (kind: string, { instance, name }: Pick<DeviceContext, 'instance' | 'name'>): string =>
  `${kind}.${safe(projectPrefixed(instance.project, instance.name))}.${safe(name)}`;
