import { parseKeyValues, parseSettings } from './key-values.ts';

describe('key=value words', () => {
  it('splits at the first equals sign', () => {
    expect(parseKeyValues(['a=b=c', 'd='])).toEqual({ a: 'b=c', d: '' });
    expect(() => parseKeyValues(['nothing'])).toThrow('Invalid key=value configuration: nothing');
    expect(() => parseKeyValues(['=x'])).toThrow('Invalid');
  });

  it('knows the form of two words', () => {
    expect(parseSettings(['limits.cpu', '2'])).toEqual({ 'limits.cpu': '2' });
    expect(parseSettings(['user.x', 'a=b'])).toEqual({ 'user.x': 'a=b' });
    expect(parseSettings(['a=1', 'b=2'])).toEqual({ a: '1', b: '2' });
  });
});
