import type { Config, Devices } from '@lxd-ts/core';

// What a file says is whatever somebody wrote: each value is looked at before it is used.

export type Fields = Readonly<Record<string, unknown>>;

export const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

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
