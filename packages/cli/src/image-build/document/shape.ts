import type { FieldPath, Problems } from './problems.ts';

/**
 * What a field must be. All scalars of a document are texts as they are written: `1.10` stays 1.10 and `0644` stays 0644;
 * it is the shape that makes something else of them.
 */
export interface Shape<T> {
  /** For people: `a list of …`. */
  readonly expects: string;
  /** Where the value is wrong that is told, and what is returned is never used. */
  read(value: unknown, path: FieldPath, problems: Problems): T;
}

/** What is returned is used by nobody: the document is refused. */
function wrong(path: FieldPath, problems: Problems, expects: string, value: unknown): never {
  const found =
    typeof value === 'string'
      ? value === ''
        ? 'nothing'
        : JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
      : Array.isArray(value)
        ? 'a list'
        : 'a map';
  problems.add(path, `must be ${expects}, not ${found}`);
  return undefined as never;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A text, of which the whole must match the pattern. */
export const text = (expects = 'a text', pattern = /^[^]+$/): Shape<string> => ({
  expects,
  read: (value, path, problems) =>
    typeof value === 'string' && pattern.test(value) ? value : wrong(path, problems, expects, value),
});

export const flag: Shape<boolean> = {
  expects: 'true or false',
  read: (value, path, problems) =>
    value === 'true' || value === 'false' ? value === 'true' : wrong(path, problems, 'true or false', value),
};

/** A whole number from 0 on. */
export const whole = (expects: string): Shape<number> => ({
  expects,
  read: (value, path, problems) =>
    typeof value === 'string' && /^\d{1,12}$/.test(value)
      ? Number(value)
      : wrong(path, problems, expects, value),
});

export const oneOf = <const T extends string>(...words: readonly T[]): Shape<T> => {
  const expects = `one of ${words.join(', ')}`;
  return {
    expects,
    read: (value, path, problems) =>
      words.find((word) => word === value) ?? wrong(path, problems, expects, value),
  };
};

export const listOf = <T>(item: Shape<T>): Shape<T[]> => {
  const expects = `a list, each ${item.expects}`;
  return {
    expects,
    read: (value, path, problems) =>
      Array.isArray(value)
        ? value.map((one, at) => item.read(one, [...path, at], problems))
        : wrong(path, problems, expects, value),
  };
};

/** Names, which are free but for their pattern, and values. */
export const mapOf = <T>(names: RegExp, item: Shape<T>): Shape<Record<string, T>> => {
  const expects = `a map, each value ${item.expects}`;
  return {
    expects,
    read(value, path, problems) {
      if (!isMap(value)) return wrong(path, problems, expects, value);
      return Object.fromEntries(
        Object.entries(value).map(([name, one]) => {
          if (!names.test(name)) problems.add([...path, name], `is no name that can be used here`);
          return [name, item.read(one, [...path, name], problems)];
        }),
      );
    },
  };
};

/** What comes of the shapes of fields; those that may be left out are said by `optional`. */
export type FieldsOf<F> = { [K in keyof F]: F[K] extends Shape<infer T> ? T : never };

export const optional = <T>(shape: Shape<T>): Shape<T | undefined> & { readonly optional: true } => ({
  ...shape,
  optional: true,
});

/** How far apart two words are: letters to change, add or leave out. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [i, letter] of one.split('').entries()) {
    const next = [i + 1];
    for (const [j, against] of other.split('').entries()) {
      const [left = 0, up = 0, corner = 0] = [next[j], row[j + 1], row[j]];
      next.push(Math.min(left + 1, up + 1, corner + (letter === against ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** Fields that are known, and no others. */
export const fields = <F extends Record<string, Shape<unknown>>>(
  known: F,
  expects = `a map with ${Object.keys(known).join(', ')}`,
): Shape<FieldsOf<F>> => ({
  expects,
  read(value, path, problems) {
    if (!isMap(value)) return wrong(path, problems, expects, value);
    for (const name of Object.keys(value)) {
      if (Object.hasOwn(known, name)) continue;
      const near = Object.keys(known).find((one) => distance(one, name) <= 2);
      const hint =
        near === undefined ? `there are ${Object.keys(known).join(', ')}` : `did you mean ${near}?`;
      problems.add([...path, name], `is no field here; ${hint}`);
    }
    return Object.fromEntries(
      Object.entries(known).flatMap(([name, shape]) => {
        if (Object.hasOwn(value, name)) return [[name, shape.read(value[name], [...path, name], problems)]];
        if (!('optional' in shape)) problems.add([...path, name], `is missing: it must be ${shape.expects}`);
        return [];
      }),
    ) as FieldsOf<F>;
  },
});

/** A text stands for a map with this one field. */
export const shorthand = <T>(name: string, shape: Shape<T>, expects: string): Shape<T> => ({
  expects,
  read: (value, path, problems) =>
    typeof value === 'string' && value !== ''
      ? shape.read({ [name]: value }, path, problems)
      : isMap(value)
        ? shape.read(value, path, problems)
        : wrong(path, problems, expects, value),
});

/** A text that is one line for a shell, or a list of words. */
export const lineOrWords: Shape<string | string[]> = {
  expects: 'a line for the shell, or a list of words',
  read: (value, path, problems) =>
    Array.isArray(value) && value.length > 0
      ? listOf(text('a word', /^[^\0]*$/)).read(value, path, problems)
      : typeof value === 'string' && value !== ''
        ? value
        : wrong(path, problems, 'a line for the shell, or a list of words', value),
};

/** One or a list of them. */
export const oneOrMore = <T>(item: Shape<T>): Shape<T[]> => ({
  expects: `${item.expects}, or a list of such`,
  read: (value, path, problems) =>
    Array.isArray(value) ? listOf(item).read(value, path, problems) : [item.read(value, path, problems)],
});

/** Whether exactly one of these fields is there. */
export function exactlyOne(
  value: object | undefined,
  names: readonly string[],
  path: FieldPath,
  problems: Problems,
): void {
  if (!value) return;
  const given = names.filter((name) => Object.hasOwn(value, name));
  if (given.length === 1) return;
  const all = names.join(', ');
  problems.add(
    path,
    given.length === 0 ? `needs one of ${all}` : `has ${given.join(' and ')}: use one of ${all}`,
  );
}
