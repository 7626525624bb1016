import { fieldsOf as fields, listOf as list, textOf as text, type Config, type Devices } from '@lxd-ts/core';

// What a file says is whatever somebody wrote: each value is looked at before it is used.
export { fields, list, text };

export const texts = (value: unknown): string[] => list(value).map(text).filter(Boolean);

export const configIn = (value: unknown): Config =>
  Object.fromEntries(
    Object.entries(fields(value)).map(([key, one]) => [
      key,
      typeof one === 'string' ? one : JSON.stringify(one),
    ]),
  );

export const devicesIn = (value: unknown): Devices =>
  Object.fromEntries(Object.entries(fields(value)).map(([name, device]) => [name, configIn(device)]));

/** ISO 8601; '' for what is none, or is LXD's way to say so. */
export const time = (value: unknown): string => {
  const at = new Date(text(value));
  return Number.isNaN(at.getTime()) || at.getTime() <= 0 ? '' : at.toISOString();
};
