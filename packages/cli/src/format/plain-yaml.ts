/** A map of texts, booleans and such maps. */
export interface PlainMap {
  [key: string]: string | boolean | PlainMap;
}

const line = /^( *)([\w.-]+):(?: ([A-Za-z][\w:/.@-]*|\{\}))?$/;

/** Words that YAML takes for something else than a text, or that could end as a key. */
const notText = /^(null|true|false|yes|no|on|off|y|n)$|:$/i;

/**
 * Reads the plainest YAML there is: maps by two spaces, values of one word. It is what configuration files mostly are,
 * and this is a hundred times faster than to load a parser. Undefined for anything else, which is for the parser.
 */
export function readPlainYaml(text: string): PlainMap | undefined {
  const root: PlainMap = {};
  const open: PlainMap[] = [root];
  for (const row of text.split('\n')) {
    if (row === '') continue;
    const match = line.exec(row);
    if (!match) return undefined;
    const [, indent = '', key = '', value] = match;
    const depth = indent.length / 2;
    const map = open[depth];
    if (!map || key === '__proto__' || Object.hasOwn(map, key)) return undefined;
    open.length = depth + 1;
    if (value === undefined) {
      const inner: PlainMap = {};
      map[key] = inner;
      open.push(inner);
    } else if (value === '{}') map[key] = {};
    else if (value === 'true' || value === 'false') map[key] = value === 'true';
    else if (notText.test(value)) return undefined;
    else map[key] = value;
  }
  return root;
}
