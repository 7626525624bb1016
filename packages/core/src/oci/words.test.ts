import { joinWords, splitWords } from './words.ts';

it.each([
  ['', []],
  ['  a  b\tc\n', ['a', 'b', 'c']],
  [`'' ""`, ['', '']],
  [`sh -c 'echo "hi" > /x && true'`, ['sh', '-c', 'echo "hi" > /x && true']],
  [`"a \\"b\\" \\\\ \\n $x"'c'd`, ['a "b" \\ \\n $xcd']],
  ['a\\ b \\"', ['a b', '"']],
])('%j', (text, words) => {
  expect(splitWords(text)).toEqual(words);
});

it.each([`'a`, `"a`, `"a\\"`, 'a\\'])('%j has no end', (text) => {
  expect(() => splitWords(text)).toThrow(/no end|stands for nothing/);
});

it('takes apart what it has joined, whatever the words are', () => {
  const signs = [`'`, '"', '\\', ' ', '\n', '$', 'a', '-', 'ä', '*', '', '`', '\t', '#'];
  let seed = 7;
  const next = (below: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
  for (let i = 0; i < 500; i++) {
    const words = Array.from({ length: 1 + next(4) }, () =>
      Array.from({ length: next(6) }, () => signs[next(signs.length)]).join(''),
    );
    expect(splitWords(joinWords(words))).toEqual(words);
  }
  expect(joinWords(['/bin/app', '--x=1', "it's"])).toBe(`/bin/app --x=1 'it'\\''s'`);
});
