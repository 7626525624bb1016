/** What reads as itself without quotes, to readers of YAML 1.1 too. */
const plain = /^[A-Za-z/_][\w./@+-]*( [\w./@+-]+)*$/;
const words = /^(true|false|yes|no|on|off|y|n|null)$/i;

const scalar = (value: unknown): string =>
  typeof value === 'string' && plain.test(value) && !words.test(value)
    ? value
    : // JSON is YAML.
      JSON.stringify(value);

function lines(value: unknown, indent: string): string[] {
  if (Array.isArray(value))
    return value.flatMap((one) => {
      const [first = '', ...rest] = block(one, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  return Object.entries(value as object).flatMap(([key, one]) => {
    if (one === undefined) return [];
    const name = `${indent}${scalar(key)}:`;
    if (isScalar(one)) return [`${name} ${scalar(one)}`];
    return [name, ...lines(one, Array.isArray(one) ? indent : `${indent}  `)];
  });
}

const isScalar = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || Object.keys(value).length === 0;

const block = (value: unknown, indent: string): string[] =>
  isScalar(value) ? [scalar(value)] : lines(value, indent);

/** Plain data as YAML that LXD writes alike, in a fraction of the time that a library for all of YAML takes. */
export const blockYaml = (value: unknown): string => `${block(value, '').join('\n')}\n`;
