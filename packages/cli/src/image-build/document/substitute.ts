import type { FieldPath, Problems } from './problems.ts';

const reference = /\$\{vars\.([^}]*)\}/g;

/** Puts values for `${vars.NAME}`. @param unknown told of names that there are not */
export const substituteText = (
  text: string,
  vars: Readonly<Record<string, string>>,
  unknown: (name: string) => void,
): string =>
  text.replace(reference, (whole, name: string) => {
    if (Object.hasOwn(vars, name)) return vars[name] ?? '';
    unknown(name);
    return whole;
  });

/** The same in all texts of a document. No shell takes `${vars.NAME}` for anything of its own. */
export function substitute(
  value: unknown,
  vars: Readonly<Record<string, string>>,
  path: FieldPath,
  problems: Problems,
): unknown {
  if (typeof value === 'string')
    return substituteText(value, vars, (name) => {
      problems.add(path, `uses the variable "${name}", which is not among "vars"`);
    });
  if (Array.isArray(value)) return value.map((one, at) => substitute(one, vars, [...path, at], problems));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, substitute(one, vars, [...path, name], problems)]),
  );
}
