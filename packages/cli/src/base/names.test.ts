import { afterRemote, apiPath, parseName, requireName } from './names.ts';

describe('names', () => {
  it('drops the one remote there is and refuses others', () => {
    expect(parseName('c1')).toBe('c1');
    expect(parseName('local:c1')).toBe('c1');
    expect(parseName('local:')).toBe('');
    expect(() => parseName('other:c1')).toThrow('The remote "other" doesn\'t exist');
  });

  it('wants a name', () => {
    expect(() => requireName('local:', 'instance')).toThrow('Missing instance name');
  });

  it('tells a remote from a filter', () => {
    expect(afterRemote(['local:', 'web'])).toEqual(['web']);
    expect(afterRemote(['local:web'])).toEqual(['web']);
    expect(afterRemote(['volatile.eth0.hwaddr=00:16'])).toEqual(['volatile.eth0.hwaddr=00:16']);
    expect(() => afterRemote(['other:'])).toThrow('other');
  });

  it('keeps what people type inside one part of a path', () => {
    expect(apiPath('instances', '../x?y')).toBe('/1.0/instances/..%2Fx%3Fy');
  });
});
