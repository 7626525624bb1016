import { apiPath } from './names.ts';

describe('names', () => {
  it('keeps what people type inside one part of a path', () => {
    expect(apiPath('instances', '../x?y')).toBe('/1.0/instances/..%2Fx%3Fy');
  });
});
