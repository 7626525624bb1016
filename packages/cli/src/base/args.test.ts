import fc from 'fast-check';
import { parseArgs, type FlagSpecs } from './args.ts';

const specs = {
  force: { kind: 'boolean', short: 'f', help: '' },
  columns: { kind: 'string', short: 'c', help: '' },
  timeout: { kind: 'number', help: '' },
  env: { kind: 'list', short: 'e', help: '' },
  console: { kind: 'optional', implied: 'console', help: '' },
} as const satisfies FlagSpecs;

const parse = (...argv: string[]) => parseArgs(argv, specs);

describe('parseArgs', () => {
  it('starts from nothing set', () => {
    expect(parse().values).toEqual({
      force: false,
      columns: undefined,
      timeout: undefined,
      env: [],
      console: undefined,
    });
  });

  it.each([
    [['-c', 'ns']],
    [['-cns']],
    [['-c=ns']],
    [['--columns', 'ns']],
    [['--columns=ns']],
    [['-fc', 'ns']],
  ])('reads a value in %j', (argv) => {
    expect(parse(...argv).values['columns']).toBe('ns');
  });

  it('mixes flags and arguments, and stops at --', () => {
    const { positionals, values } = parse('a', '-f', 'b', '--', '-f', '--x');
    expect(positionals).toEqual(['a', 'b', '-f', '--x']);
    expect(values['force']).toBe(true);
  });

  it('takes a negative number, an explicit boolean, repeated and optional values', () => {
    expect(parse('--timeout', '-1').values['timeout']).toBe(-1);
    expect(parse('--force=false').values['force']).toBe(false);
    expect(parse('-e', 'A=1', '--env=B=2').values['env']).toEqual(['A=1', 'B=2']);
    expect(parse('--console', 'x')).toMatchObject({ positionals: ['x'], values: { console: 'console' } });
    expect(parse('--console=vga').values['console']).toBe('vga');
  });

  it.each([
    [['--nope'], 'unknown flag: --nope'],
    [['--nope=1'], 'unknown flag: --nope'],
    [['-x'], "unknown shorthand flag: 'x' in -x"],
    [['-c'], "flag needs an argument: 'c' in -c"],
    [['--timeout=soon'], 'Invalid value "soon" for --timeout'],
    [['--force=maybe'], 'Invalid value "maybe" for --force'],
  ])('refuses %j', (argv, message) => {
    expect(() => parse(...argv)).toThrow(message);
  });

  it('leaves every word after -- alone', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(parse('--', ...words).positionals).toEqual(words);
      }),
    );
  });
});
