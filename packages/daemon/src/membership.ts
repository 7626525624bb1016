import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Authority, Identity } from '@lxd-ts/rpc';
import { readText, writeText } from './files.ts';

/** A member's place in its cluster. A server without one is alone. */
export interface Membership {
  name: string;
  /** `HOST:PORT` at which others reach it. */
  address: string;
  identity: Identity;
  /** Addresses of the control plane's members, last we heard. */
  controlPlane: string[];
  /** Whether it is of the control plane, with an etcd of its own; it then has the authority's key too. */
  controls: boolean;
  /** The etcd that it joins: name → URL of its peers, its own included. Only counts before it has data of its own. */
  etcd?: Record<string, string> | undefined;
  /** The name it had alone; its records are renamed at the next start. */
  formerName?: string;
}

export interface Certificate {
  certificate: string;
  key: string;
}

const membershipFile = (dir: string): string => join(dir, 'member.json');

export async function readMembership(dir: string): Promise<Membership | undefined> {
  const text = await readText(membershipFile(dir));
  return text === undefined ? undefined : (JSON.parse(text) as Membership);
}

/** From here on the server is this member, whatever happens. */
export const writeMembership = (dir: string, membership: Membership): Promise<void> =>
  writeText(membershipFile(dir), JSON.stringify(membership), 0o600);

export async function readPair(dir: string, name: string): Promise<Certificate | undefined> {
  const certificate = await readText(join(dir, `${name}.crt`));
  const key = await readText(join(dir, `${name}.key`));
  return certificate && key ? { certificate, key } : undefined;
}

export async function writePair(dir: string, name: string, pair: Certificate): Promise<void> {
  // The key first: a certificate without one would be of no use to anybody.
  await writeText(join(dir, `${name}.key`), pair.key, 0o600);
  await writeText(join(dir, `${name}.crt`), pair.certificate, 0o644);
}

/** The authority that certifies members; on members of the control plane. */
export const readAuthority = (dir: string): Promise<Authority | undefined> => readPair(dir, 'authority');

/** A server that was a member is alone again, with nothing of the cluster left. Files of its pools are not touched. */
export async function forgetMembership(dir: string): Promise<void> {
  await rm(membershipFile(dir), { force: true });
  for (const name of ['cluster', 'authority']) {
    await rm(join(dir, `${name}.key`), { force: true });
    await rm(join(dir, `${name}.crt`), { force: true });
  }
  await rm(join(dir, 'etcd'), { recursive: true, force: true });
}
