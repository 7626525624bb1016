import { toCsv } from './csv.ts';

it('quotes what needs it', () => {
  expect(toCsv([['a', 'b,c', 'say "x"', 'two\nlines', '']])).toBe('a,"b,c","say ""x""","two\nlines",\n');
});
