/** What a server wants from who is not known to it: one challenge of a `WWW-Authenticate` header. */
export interface Challenge {
  /** Small letters: `bearer`, `basic`. */
  scheme: string;
  parameters: Readonly<Record<string, string>>;
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;

/** Reads on from `at`; '' where the pattern is not there. */
function take(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

const blanks = /[ \t,]*/y;
const equals = /[ \t]*=[ \t]*/y;

/** The challenges of a header, as far as they can be read. */
export function parseChallenges(header: string): Challenge[] {
  const found: { scheme: string; parameters: Record<string, string> }[] = [];
  let at = 0;
  for (;;) {
    at += take(blanks, header, at)?.[0].length ?? 0;
    const word = take(token, header, at)?.[0];
    if (word === undefined) return found;
    at += word.length;
    const sign = take(equals, header, at)?.[0];
    if (sign === undefined) {
      found.push({ scheme: word.toLowerCase(), parameters: {} });
      continue;
    }
    at += sign.length;
    const text = take(quoted, header, at);
    const value = text ? (text[1] ?? '').replace(/\\(.)/g, '$1') : take(token, header, at)?.[0];
    const last = found.at(-1);
    if (value === undefined || !last) return found;
    at += text ? text[0].length : value.length;
    last.parameters[word.toLowerCase()] = value;
  }
}
