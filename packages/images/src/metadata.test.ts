import { parseMetadata } from './metadata.ts';

test('says how instances begin, as far as an image may', () => {
  const text = `architecture: x86_64
oci: { oci.entrypoint: sleep 5, environment.A: b, security.privileged: "true", oci.cwd: [1], environment.: x }`;
  expect(parseMetadata(text)).toEqual({
    ...{ architecture: 'x86_64', creationDate: 0, expiryDate: 0, properties: {} },
    oci: { 'oci.entrypoint': 'sleep 5', 'environment.A': 'b' },
  });
  expect(parseMetadata('architecture: x86_64')).not.toHaveProperty('oci');
});
