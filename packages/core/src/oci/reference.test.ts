import { dockerHub, isDockerHub, parseOciReference } from './reference.ts';

const digest = `sha256:${'0a'.repeat(32)}`;

it.each([
  ['team/app:1.2', 'https://r:5000', { repository: 'team/app', reference: '1.2' }],
  ['app', 'https://r', { repository: 'app', reference: 'latest' }],
  [`team/app@${digest}`, 'https://r', { repository: 'team/app', reference: digest }],
  [`team/app:1@${digest}`, 'https://r', { repository: 'team/app', reference: digest }],
  ['alpine', dockerHub, { repository: 'library/alpine', reference: 'latest' }],
  ['alpine:3.20', 'https://docker.io', { repository: 'library/alpine', reference: '3.20' }],
  ['team/app', dockerHub, { repository: 'team/app', reference: 'latest' }],
  ['a-b__c.d/e--f:T_1-x.y', 'https://r', { repository: 'a-b__c.d/e--f', reference: 'T_1-x.y' }],
])('%s of %s', (name, server, expected) => {
  expect(parseOciReference(name, server)).toEqual(expected);
});

it.each([
  ...['', ':1', 'Team/app', '../etc', 'a//b', '/a', 'a/', 'a b', 'a:b/c', 'a_-b', '-a', 'a..b', 'ä'],
  ...['app:', 'app:.1', 'app:-1', `app:${'x'.repeat(129)}`, 'x'.repeat(256)],
  ...[
    'app@sha256:12',
    `app@sha512:${'0'.repeat(64)}`,
    `app@${digest}@${digest}`,
    `app@${digest.toUpperCase()}`,
  ],
])('%j is no name', (name) => {
  expect(() => parseOciReference(name, 'https://r')).toThrow(/Invalid image name|no digest/);
});

it('knows Docker Hub by its names alone', () => {
  expect(['https://docker.io', 'https://index.docker.io/v1', dockerHub].every(isDockerHub)).toBe(true);
  expect(['https://docker.io.example.org', 'https://hub', 'docker.io'].some(isDockerHub)).toBe(false);
});
