import { LxdError } from '@lxd-ts/core';
import { parseTemplate, type Expression, type Node } from './parse.ts';
import { filters, isList, isMap, lengthOf, member, printed, truthy, type Value } from './values.ts';

export interface Environment {
  values: Readonly<Record<string, Value>>;
  functions: Readonly<Record<string, (...given: Value[]) => Value>>;
}

/** An image's author writes templates: they can cost no more than this. */
const maxSteps = 100_000;
const maxBytes = 1024 * 1024;
const charactersPerStep = 256;

const wrong = (message: string): LxdError => new LxdError('invalid', message);

const compare = (left: Value, right: Value): number => {
  const [a, b] = [left, right].map((value) => (typeof value === 'number' ? value : printed(value)));
  if (a === undefined || b === undefined || a === b) return 0;
  return a < b ? -1 : 1;
};

const contains = (all: Value, one: Value): boolean => {
  if (isList(all)) return all.some((value) => printed(value) === printed(one));
  if (isMap(all)) return Object.hasOwn(all, printed(one));
  return printed(all).includes(printed(one));
};

function arithmetic(operator: string, left: Value, right: Value): Value {
  if (operator === '+' && (typeof left === 'string' || typeof right === 'string'))
    return printed(left) + printed(right);
  const [a, b] = [Number(left ?? 0), Number(right ?? 0)];
  const whole = Number.isInteger(a) && Number.isInteger(b);
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '^':
      return a ** b;
    default:
      if (b === 0) throw wrong('A template divides by zero');
      if (operator === '%') return a % b;
      return whole ? Math.trunc(a / b) : a / b;
  }
}

/** One rendering. */
class Renderer {
  readonly #functions: Environment['functions'];
  readonly #scopes: Map<string, Value>[];
  #steps = 0;
  #bytes = 0;
  readonly #output: string[] = [];

  constructor({ values, functions }: Environment) {
    this.#functions = functions;
    this.#scopes = [new Map(Object.entries(values))];
  }

  get output(): string {
    return this.#output.join('');
  }

  #step(count = 1): void {
    this.#steps += count;
    if (this.#steps > maxSteps) throw wrong('A template takes too many steps');
  }

  /** Long texts cost more, and none is longer than all may be. */
  #weigh(...values: Value[]): void {
    for (const value of values) {
      if (typeof value === 'string' && value.length > maxBytes)
        throw wrong('A text in a template is too long');
      if (typeof value === 'string' || isList(value)) this.#step(value.length / charactersPerStep);
    }
  }

  #write(text: string): void {
    this.#bytes += text.length;
    if (this.#bytes > maxBytes) throw wrong('A template makes more than 1 MiB');
    this.#output.push(text);
  }

  #lookUp(name: string): Value {
    return this.#scopes.findLast((scope) => scope.has(name))?.get(name);
  }

  #within(values: readonly (readonly [string, Value])[], body: readonly Node[]): void {
    this.#scopes.push(new Map(values));
    this.render(body);
    this.#scopes.pop();
  }

  render(nodes: readonly Node[]): void {
    for (const node of nodes) {
      this.#step();
      switch (node.kind) {
        case 'text':
          this.#write(node.text);
          break;
        case 'print':
          this.#write(printed(this.#value(node.value)));
          break;
        case 'if':
          this.render(node.branches.find(({ when }) => truthy(this.#value(when)))?.body ?? node.otherwise);
          break;
        case 'for':
          this.#for(node);
          break;
        case 'with':
          this.#within(
            node.pairs.map(([name, value]) => [name, this.#value(value)] as const),
            node.body,
          );
          break;
        case 'set':
          this.#scopes.at(-1)?.set(node.name, this.#value(node.value));
      }
    }
  }

  #for({ names: [first = '', second], over, body, empty }: Extract<Node, { kind: 'for' }>): void {
    const all = this.#value(over);
    const count = lengthOf(all);
    if (count === 0) {
      this.render(empty);
      return;
    }
    const entries: (readonly [Value, Value])[] = isMap(all)
      ? Object.keys(all)
          .sort()
          .map((name) => [name, all[name]] as const)
      : (isList(all) ? all : Array.from(printed(all))).map((one) => [one, undefined] as const);
    for (const [index, [one, other]] of entries.entries()) {
      const forloop = {
        Counter: index + 1,
        Counter0: index,
        Revcounter: count - index,
        Revcounter0: count - index - 1,
        First: index === 0,
        Last: index === count - 1,
      };
      const own: (readonly [string, Value])[] = [
        [first, one],
        ['forloop', forloop],
        ...(second === undefined ? [] : [[second, other] as const]),
      ];
      this.#within(own, body);
    }
  }

  #value(expression: Expression): Value {
    this.#step();
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'name':
        return this.#lookUp(expression.name);
      case 'member':
        return member(this.#value(expression.of), this.#value(expression.name));
      case 'call': {
        const { name, arguments: given } = expression;
        const called = Object.hasOwn(this.#functions, name) ? this.#functions[name] : undefined;
        if (!called) throw wrong(`${name}() is not known here`);
        return called(...given.map((one) => this.#value(one)));
      }
      case 'filter': {
        const { of, name, argument } = expression;
        const filter = Object.hasOwn(filters, name) ? filters[name] : undefined;
        if (!filter) throw wrong(`The filter "${name}" is not known here`);
        const [value, given] = [this.#value(of), argument && this.#value(argument)];
        this.#weigh(value, given);
        // The one that can make much out of little.
        if (name === 'join') this.#step((lengthOf(value) * lengthOf(given)) / charactersPerStep);
        const result = filter(value, given);
        this.#weigh(result);
        return result;
      }
      case 'unary': {
        const value = this.#value(expression.of);
        return expression.operator === 'not' ? !truthy(value) : -Number(value);
      }
      case 'binary':
        return this.#binary(expression);
    }
  }

  #binary({ operator, left, right }: Extract<Expression, { kind: 'binary' }>): Value {
    const a = this.#value(left);
    if (operator === 'or' || operator === '||') return truthy(a) || truthy(this.#value(right));
    if (operator === 'and' || operator === '&&') return truthy(a) && truthy(this.#value(right));
    const b = this.#value(right);
    this.#weigh(a, b);
    switch (operator) {
      case '==':
        return printed(a) === printed(b);
      case '!=':
      case '<>':
        return printed(a) !== printed(b);
      case '<':
        return compare(a, b) < 0;
      case '>':
        return compare(a, b) > 0;
      case '<=':
        return compare(a, b) <= 0;
      case '>=':
        return compare(a, b) >= 0;
      case 'in':
        return contains(b, a);
      default: {
        const result = arithmetic(operator, a, b);
        this.#weigh(result);
        return result;
      }
    }
  }
}

/**
 * Renders a template in Django's language, as LXD's images are written in: variables, tests, loops and the usual filters.
 * It sees the values it is given and nothing else, and is cut off when it takes too long or becomes too large.
 * @throws LxdError `invalid`
 */
export function render(template: string, environment: Environment): string {
  if (template.length > maxBytes) throw wrong('A template is larger than 1 MiB');
  const renderer = new Renderer(environment);
  renderer.render(parseTemplate(template));
  return renderer.output;
}
