import { createAuthority, issue, selfSigned, type Authority, type Identity } from '@lxd-ts/rpc';
import { readPair, writePair, type Certificate } from './membership.ts';

async function load(dir: string, name: string, make: () => Promise<Certificate>): Promise<Certificate> {
  const known = await readPair(dir, name);
  if (known) return known;
  const made = await make();
  await writePair(dir, name, made);
  return made;
}

/** `server.crt` and `server.key`: what clients see. Made at the first start. */
export const serverCertificate = (dir: string, name: string, now: Date): Promise<Certificate> =>
  load(dir, 'server', () => selfSigned(name, now));

/** `cluster.crt` and `cluster.key`: what clients see of any member of the cluster. The first member's own, as in LXD. */
export const clusterCertificate = (dir: string, name: string, now: Date): Promise<Certificate> =>
  load(dir, 'cluster', () => serverCertificate(dir, name, now));

/** `authority.crt` and `authority.key`: by which members know each other. */
export const clusterAuthority = (dir: string, now: Date): Promise<Authority> =>
  load(dir, 'authority', () => createAuthority(now));

export const memberDays = 3650;

export const memberIdentity = (authority: Authority, name: string, now: Date): Promise<Identity> =>
  issue(authority, { commonName: name, role: 'member' }, now, memberDays);
