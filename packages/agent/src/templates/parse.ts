import { LxdError } from '@lxd-ts/core';

export type Expression =
  | { kind: 'literal'; value: string | number | boolean | null }
  | { kind: 'name'; name: string }
  | { kind: 'member'; of: Expression; name: Expression }
  | { kind: 'call'; name: string; arguments: Expression[] }
  | { kind: 'filter'; of: Expression; name: string; argument?: Expression }
  | { kind: 'unary'; operator: '-' | 'not'; of: Expression }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression };

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'print'; value: Expression }
  | { kind: 'if'; branches: { when: Expression; body: Node[] }[]; otherwise: Node[] }
  | { kind: 'for'; names: string[]; over: Expression; body: Node[]; empty: Node[] }
  | { kind: 'with'; pairs: [name: string, value: Expression][]; body: Node[] }
  | { kind: 'set'; name: string; value: Expression };

const wrong = (message: string): LxdError => new LxdError('invalid', message);

/** As deep and as long as anybody would write. */
const maxDepth = 50;
const maxTokens = 500;
const maxCharacters = 20_000;

const tokenPattern =
  /\s*(?:(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<number>\d+(?:\.\d+)?)|(?<name>[A-Za-z_]\w*)|(?<symbol>==|!=|<=|>=|<>|&&|\|\||[-+*/%^<>!|:.,()[\]=]))/y;

interface Token {
  kind: 'string' | 'number' | 'name' | 'symbol';
  text: string;
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  if (text.length > maxCharacters) throw wrong('An expression is too long');
  tokenPattern.lastIndex = 0;
  for (let at = 0; text.slice(at).trim() !== ''; at = tokenPattern.lastIndex) {
    tokenPattern.lastIndex = at;
    const groups = tokenPattern.exec(text)?.groups;
    const all = Object.entries(groups ?? {}) as [string, string | undefined][];
    const [kind, value] = all.find(([, one]) => one !== undefined) ?? [];
    if (kind === undefined || value === undefined) throw wrong(`"${text.slice(at).trim()}" is no expression`);
    if (found.length >= maxTokens) throw wrong('An expression is too long');
    found.push({ kind: kind as Token['kind'], text: value });
  }
  return found;
}

const unquoted = (text: string): string =>
  text.slice(1, -1).replace(/\\(.)/g, (_, char: string) => ({ n: '\n', t: '\t' })[char] ?? char);

const constants = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['nil', null],
]);

/** From loosest to tightest. */
const levels: readonly (readonly string[])[] = [
  ['or', '||'],
  ['and', '&&'],
  ['==', '!=', '<>', '<', '>', '<=', '>=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
  ['^'],
];

/** Django's expressions: by descent, one token ahead. */
class Reader {
  readonly #tokens: Token[];
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokens(text);
  }

  get over(): boolean {
    return this.#at >= this.#tokens.length;
  }

  take(text: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.text !== text || token.kind === 'string') return false;
    this.#at++;
    return true;
  }

  expect(text: string): void {
    if (!this.take(text)) throw wrong(`"${this.#text.trim()}" lacks "${text}"`);
  }

  name(): string {
    const token = this.#tokens[this.#at++];
    if (token?.kind !== 'name') throw wrong(`"${this.#text.trim()}" lacks a name`);
    return token.text;
  }

  end(): void {
    if (!this.over)
      throw wrong(`"${this.#text.trim()}": "${this.#tokens[this.#at]?.text ?? ''}" is too much`);
  }

  expression(level = 0): Expression {
    if (++this.#depth > maxDepth * levels.length) throw wrong('An expression is too deep');
    try {
      return this.#level(level);
    } finally {
      this.#depth--;
    }
  }

  #level(level: number): Expression {
    const operators = levels[level];
    if (!operators) return this.#unary();
    let left = this.expression(level + 1);
    for (;;) {
      const operator = operators.find((one) => this.take(one));
      if (operator !== undefined) {
        left = { kind: 'binary', operator, left, right: this.expression(level + 1) };
      } else if (operators.includes('in') && this.take('not')) {
        this.expect('in');
        const right = this.expression(level + 1);
        left = { kind: 'unary', operator: 'not', of: { kind: 'binary', operator: 'in', left, right } };
      } else return left;
    }
  }

  #unary(): Expression {
    if (this.take('not') || this.take('!')) return { kind: 'unary', operator: 'not', of: this.expression(2) };
    if (this.take('-')) return { kind: 'unary', operator: '-', of: this.expression(levels.length) };
    return this.#filters(this.#members(this.#primary()));
  }

  #primary(): Expression {
    const token = this.#tokens[this.#at++];
    switch (token?.kind) {
      case 'string':
        return { kind: 'literal', value: unquoted(token.text) };
      case 'number':
        return { kind: 'literal', value: Number(token.text) };
      case 'name': {
        const value = constants.get(token.text.toLowerCase());
        if (value !== undefined) return { kind: 'literal', value };
        if (!this.take('(')) return { kind: 'name', name: token.text };
        const given: Expression[] = [];
        while (!this.take(')')) {
          if (given.length > 0) this.expect(',');
          given.push(this.expression());
        }
        return { kind: 'call', name: token.text, arguments: given };
      }
      default: {
        if (token?.text !== '(') throw wrong(`"${this.#text.trim()}" is no expression`);
        const inner = this.expression();
        this.expect(')');
        return inner;
      }
    }
  }

  #members(of: Expression): Expression {
    if (this.take('.')) {
      const token = this.#tokens[this.#at++];
      if (token?.kind !== 'name' && token?.kind !== 'number')
        throw wrong(`"${this.#text.trim()}" lacks a name after "."`);
      return this.#members({ kind: 'member', of, name: { kind: 'literal', value: token.text } });
    }
    if (this.take('[')) {
      const name = this.expression();
      this.expect(']');
      return this.#members({ kind: 'member', of, name });
    }
    return of;
  }

  #filters(of: Expression): Expression {
    if (!this.take('|')) return of;
    const name = this.name();
    if (!this.take(':')) return this.#filters({ kind: 'filter', of, name });
    return this.#filters({ kind: 'filter', of, name, argument: this.#members(this.#primary()) });
  }
}

type Part = { kind: 'text'; text: string } | { kind: 'print' | 'tag'; text: string };

/** Text, `{{ … }}` and `{% … %}`; comments are left out, and blanks where a `-` says so. */
function split(template: string): Part[] {
  const parts: Part[] = [];
  const pattern = /\{\{(-?)([\s\S]*?)(-?)\}\}|\{%(-?)([\s\S]*?)(-?)%\}|\{#[\s\S]*?#\}/g;
  let at = 0;
  let trimNext = false;
  const text = (piece: string, trimEnd: boolean) => {
    let kept = trimNext ? piece.trimStart() : piece;
    if (trimEnd) kept = kept.trimEnd();
    if (kept) parts.push({ kind: 'text', text: kept });
  };
  for (const match of template.matchAll(pattern)) {
    const [whole, printLeft, print, printRight, tagLeft, tag, tagRight] = match;
    text(template.slice(at, match.index), printLeft === '-' || tagLeft === '-');
    trimNext = printRight === '-' || tagRight === '-';
    if (print !== undefined) parts.push({ kind: 'print', text: print });
    else if (tag !== undefined) parts.push({ kind: 'tag', text: tag });
    at = match.index + whole.length;
  }
  text(template.slice(at), false);
  return parts;
}

const wordOf = (tag: string): string => /^\s*(\w+)/.exec(tag)?.[1] ?? '';
const restOf = (tag: string): string => tag.replace(/^\s*\w+/, '');

function expression(text: string): Expression {
  const reader = new Reader(text);
  const found = reader.expression();
  reader.end();
  return found;
}

class TemplateReader {
  readonly #parts: Part[];
  #at = 0;
  #depth = 0;

  constructor(parts: Part[]) {
    this.#parts = parts;
  }

  /** Up to one of these tags, which is taken. */
  #until(...ends: string[]): { body: Node[]; end: string } {
    if (++this.#depth > maxDepth) throw wrong('Tags are nested too deep');
    const body: Node[] = [];
    for (;;) {
      const part = this.#parts[this.#at++];
      if (!part) throw wrong(`{% ${ends.at(-1) ?? ''} %} is missing`);
      if (part.kind === 'tag' && ends.includes(wordOf(part.text))) {
        this.#depth--;
        return { body, end: part.text };
      }
      body.push(...this.#node(part));
    }
  }

  all(): Node[] {
    const body: Node[] = [];
    for (let part = this.#parts[this.#at++]; part; part = this.#parts[this.#at++])
      body.push(...this.#node(part));
    return body;
  }

  #node(part: Part): Node[] {
    if (part.kind === 'text') return [part];
    if (part.kind === 'print') return [{ kind: 'print', value: expression(part.text) }];
    return this.#tag(wordOf(part.text), restOf(part.text));
  }

  #tag(word: string, rest: string): Node[] {
    switch (word) {
      case 'if':
        return [this.#if(expression(rest))];
      case 'ifequal':
      case 'ifnotequal': {
        const reader = new Reader(rest);
        const operator = word === 'ifequal' ? '==' : '!=';
        const [left, right] = [reader.expression(3), reader.expression(3)];
        reader.end();
        return [this.#if({ kind: 'binary', operator, left, right }, `end${word}`)];
      }
      case 'for':
        return [this.#for(new Reader(rest))];
      case 'set': {
        const reader = new Reader(rest);
        const name = reader.name();
        reader.expect('=');
        const value = reader.expression();
        reader.end();
        return [{ kind: 'set', name, value }];
      }
      case 'with':
        return [this.#with(new Reader(rest))];
      case 'comment':
        this.#until('endcomment');
        return [];
      // Nothing is escaped here.
      case 'autoescape':
        return this.#until('endautoescape').body;
      default:
        throw wrong(`{% ${word} %} is not known here`);
    }
  }

  #if(first: Expression, last = 'endif'): Node {
    const branches: { when: Expression; body: Node[] }[] = [];
    for (let when = first; ;) {
      const { body, end } = this.#until('elif', 'else', last);
      branches.push({ when, body });
      const word = wordOf(end);
      if (word === 'elif') when = expression(restOf(end));
      else return { kind: 'if', branches, otherwise: word === 'else' ? this.#until(last).body : [] };
    }
  }

  #for(reader: Reader): Node {
    const names = [reader.name()];
    if (reader.take(',')) names.push(reader.name());
    reader.expect('in');
    const over = reader.expression();
    reader.end();
    const { body, end } = this.#until('empty', 'endfor');
    const empty = wordOf(end) === 'empty' ? this.#until('endfor').body : [];
    return { kind: 'for', names, over, body, empty };
  }

  #with(reader: Reader): Node {
    const pairs: [string, Expression][] = [];
    while (!reader.over) {
      const name = reader.name();
      reader.expect('=');
      pairs.push([name, reader.expression()]);
    }
    return { kind: 'with', pairs, body: this.#until('endwith').body };
  }
}

/** @throws LxdError `invalid`, telling what is wrong with it */
export const parseTemplate = (template: string): Node[] => new TemplateReader(split(template)).all();
