import { LxdError } from './errors.ts';
import type { Config } from './spec.ts';

/** One configuration key of a pool, network, device or instance. */
export interface KeySchema {
  /** Throws or returns a sentence when the value is wrong; see `validators` for the usual ones. Empty values mean "unset" and are not checked. */
  check: (value: string) => string | undefined;
  required?: boolean;
  /** Shown in help and documentation. */
  description: string;
  /** What holds when it is unset. */
  default?: string;
  /** Differs from member to member (a pool's source, a bridge's parent). */
  memberSpecific?: boolean;
  /** May change while in use. */
  live?: boolean;
}

/** Key → schema. A key that ends in `.*` stands for all below it (`user.*`). */
export type ConfigSchema = Readonly<Record<string, KeySchema>>;

export function findKey(schema: ConfigSchema, key: string): KeySchema | undefined {
  // Own keys only: a user may well call one `constructor`.
  if (Object.hasOwn(schema, key)) return schema[key];
  for (let dot = key.lastIndexOf('.'); dot > 0; dot = key.lastIndexOf('.', dot - 1)) {
    const wild = schema[`${key.slice(0, dot)}.*`];
    if (wild) return wild;
  }
  return undefined;
}

/**
 * Refuses unknown keys, wrong values and missing required ones.
 * @param where names the thing in messages, e.g. `storage pool "default"` or `device "eth0"`.
 */
export function checkConfig(schema: ConfigSchema, config: Config, where: string): void {
  for (const [key, value] of Object.entries(config)) {
    const found = findKey(schema, key);
    if (!found) throw new LxdError('invalid', `Invalid option for ${where}: unknown key "${key}"`);
    if (value === '') continue;
    const wrong = found.check(value);
    if (wrong) throw new LxdError('invalid', `Invalid value for ${where} option "${key}": ${wrong}`);
  }
  for (const [key, { required }] of Object.entries(schema)) {
    if (required && !config[key]) throw new LxdError('invalid', `Missing option "${key}" for ${where}`);
  }
}

const says = (right: boolean, sentence: string): string | undefined => (right ? undefined : sentence);

/** The usual checks. Each says what would be right. */
export const validators = {
  any: (): undefined => undefined,
  bool: (value: string) =>
    says(/^(true|false|1|0|yes|no|on|off)$/i.test(value), `"${value}" is not a boolean; use true or false`),
  integer: (value: string) => says(/^-?\d+$/.test(value), `"${value}" is not an integer`),
  unsigned: (value: string) => says(/^\d+$/.test(value), `"${value}" is not a whole number of 0 or more`),
  oneOf:
    (...values: string[]) =>
    (value: string) =>
      says(values.includes(value), `"${value}" is not one of ${values.join(', ')}`),
} as const;

export const isTrue = (value: string | undefined): boolean => /^(true|1|yes|on)$/i.test(value ?? '');
export const isFalse = (value: string | undefined): boolean => /^(false|0|no|off)$/i.test(value ?? '');
