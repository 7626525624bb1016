import { parseChallenges } from './challenge.ts';

it.each([
  [
    'Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push"',
    [
      {
        scheme: 'bearer',
        parameters: {
          realm: 'https://auth.example/token',
          service: 'reg',
          scope: 'repository:a/b:pull,push',
        },
      },
    ],
  ],
  ['Basic realm="a \\"b\\" c"', [{ scheme: 'basic', parameters: { realm: 'a "b" c' } }]],
  [
    'Negotiate, BASIC Realm=x , Bearer realm = "y"',
    [
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'basic', parameters: { realm: 'x' } },
      { scheme: 'bearer', parameters: { realm: 'y' } },
    ],
  ],
  ['', []],
  ['realm="of nobody"', []],
  ['Bearer realm="never ends', [{ scheme: 'bearer', parameters: {} }]],
])('%s', (header, expected) => {
  expect(parseChallenges(header)).toEqual(expected);
});

it('takes no time for what is made to take long', () => {
  const began = performance.now();
  parseChallenges(`Bearer realm="${'\\'.repeat(100_001)}`);
  parseChallenges('a='.repeat(100_000));
  expect(performance.now() - began).toBeLessThan(1_000);
});
