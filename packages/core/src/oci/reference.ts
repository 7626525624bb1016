import { LxdError } from '../errors.ts';

/** What a name means in a registry. */
export interface OciReference {
  repository: string;
  /** A tag, or a digest (`sha256:…`), which wins over a tag. */
  reference: string;
}

/** Where Docker Hub's registry is; it alone has short names. */
export const dockerHub = 'https://registry-1.docker.io';
const hubHosts = ['registry-1.docker.io', 'index.docker.io', 'docker.io', 'registry.docker.io'];

export const isDockerHub = (server: string): boolean => hubHosts.includes(URL.parse(server)?.hostname ?? '');

const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;
const maxRepository = 255;

/** @throws LxdError `invalid` for what is no SHA-256 digest: others are not known here */
export function checkOciDigest(digest: unknown): string {
  if (typeof digest !== 'string' || !digestPattern.test(digest))
    throw new LxdError('invalid', `"${String(digest)}" is no digest (sha256: and 64 hexadecimal digits)`);
  return digest;
}

/** The hexadecimal digits of a digest. */
export const hexOf = (digest: string): string => checkOciDigest(digest).slice('sha256:'.length);

/**
 * `team/app`, `team/app:1.2` or `team/app@sha256:…`; on Docker Hub `alpine` is `library/alpine`.
 * @param server its address
 * @throws LxdError `invalid` where the name is none by the rules of registries
 */
export function parseOciReference(name: string, server: string): OciReference {
  const [named = '', digest, ...more] = name.split('@');
  if (more.length > 0) throw new LxdError('invalid', `Invalid image name "${name}": it has two digests`);
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const tag = hasTag ? named.slice(colon + 1) : 'latest';
  const path = hasTag ? named.slice(0, colon) : named;
  const repository = isDockerHub(server) && path !== '' && !path.includes('/') ? `library/${path}` : path;
  if (!repositoryPattern.test(repository) || repository.length > maxRepository)
    throw new LxdError(
      'invalid',
      `Invalid image name "${name}": a repository is small letters, digits, dots, dashes, underscores and slashes`,
    );
  if (!tagPattern.test(tag))
    throw new LxdError('invalid', `Invalid image name "${name}": "${tag}" is no tag`);
  return { repository, reference: digest === undefined ? tag : checkOciDigest(digest) };
}
