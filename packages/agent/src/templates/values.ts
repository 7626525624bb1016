/** What a template sees: plain data. */
export type Value =
  string | number | boolean | null | undefined | readonly Value[] | { readonly [name: string]: Value };

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isMap = (value: Value): value is Readonly<Record<string, Value>> =>
  typeof value === 'object' && value !== null && !isList(value);

export function truthy(value: Value): boolean {
  if (isList(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** As LXD's templates print it. */
export function printed(value: Value): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toFixed(6);
  if (isList(value)) return `[${value.map(printed).join(' ')}]`;
  if (isMap(value)) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${entries.map(([name, one]) => `${name}:${printed(one)}`).join(' ')}]`;
  }
  return value;
}

export function lengthOf(value: Value): number {
  if (isList(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  return typeof value === 'string' ? Array.from(value).length : 0;
}

/** Only what is its own: nothing of how it is kept is within reach. */
export function member(of: Value, name: Value): Value {
  if (isMap(of)) return Object.hasOwn(of, printed(name)) ? of[printed(name)] : undefined;
  const index = Number(name);
  if (isList(of)) return Number.isInteger(index) ? of.at(index) : undefined;
  return undefined;
}

const words = (text: string, change: (word: string) => string): string => text.replace(/\S+/g, change);
const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
const items = (value: Value): readonly Value[] =>
  isList(value) ? value : isMap(value) ? Object.keys(value).sort() : Array.from(printed(value));

/** Django's, as far as images use them. */
export const filters: Readonly<Record<string, (value: Value, argument: Value) => Value>> = {
  capfirst: (value) => capital(printed(value)),
  cut: (value, what) => printed(value).replaceAll(printed(what), ''),
  default: (value, otherwise) => (truthy(value) ? value : otherwise),
  default_if_none: (value, otherwise) => (value === undefined || value === null ? otherwise : value),
  escape: (value) => value,
  first: (value) => items(value)[0],
  float: (value) => Number(printed(value)) || 0,
  integer: (value) => Math.trunc(Number(printed(value))) || 0,
  join: (value, between) => items(value).map(printed).join(printed(between)),
  last: (value) => items(value).at(-1),
  length: (value) => lengthOf(value),
  lower: (value) => printed(value).toLowerCase(),
  safe: (value) => value,
  split: (value, at) => printed(value).split(printed(at)),
  title: (value) => words(printed(value).toLowerCase(), capital),
  upper: (value) => printed(value).toUpperCase(),
  wordcount: (value) => printed(value).split(/\s+/).filter(Boolean).length,
  yesno: (value, choices) => {
    const [yes = 'yes', no = 'no'] = choices === undefined ? [] : printed(choices).split(',');
    return truthy(value) ? yes : no;
  },
};
