import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createAuthority,
  decodeJoinToken,
  enroll,
  selfSigned,
  type Authority,
  type Identity,
} from '@lxd-ts/rpc';
import { LxdError } from '@lxd-ts/core';

const read = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });

/** Whole or not at all. */
async function write(path: string, text: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, text, { mode });
  await rename(`${path}.new`, path);
}

async function load<T extends { certificate: string; key: string }>(
  dir: string,
  name: string,
  make: () => Promise<T>,
): Promise<{ certificate: string; key: string }> {
  const [certificatePath, keyPath] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
  const [certificate, key] = [await read(certificatePath), await read(keyPath)];
  if (certificate && key) return { certificate, key };
  const made = await make();
  // The key first: a certificate without one would be of no use to anybody.
  await write(keyPath, made.key, 0o600);
  await write(certificatePath, made.certificate, 0o644);
  return made;
}

/** `server.crt` and `server.key`: what clients see. Made at the first start. */
export const serverCertificate = (
  dir: string,
  name: string,
  now: Date,
): Promise<{ certificate: string; key: string }> => load(dir, 'server', () => selfSigned(name, now));

/** `cluster.crt` and `cluster.key` of a control plane: the authority that members are certified by. */
export const clusterAuthority = (dir: string, now: Date): Promise<Authority> =>
  load(dir, 'cluster', () => createAuthority(now));

interface Joined {
  identity: Identity;
  addresses: string[];
  name: string;
}

/** A node's place in its cluster, from `member.json`; made from a join token the first time. */
export async function joinedCluster(dir: string, token: string | undefined, now: Date): Promise<Joined> {
  const path = join(dir, 'member.json');
  const known = await read(path);
  if (known !== undefined) return JSON.parse(known) as Joined;
  if (token === undefined) {
    throw new LxdError(
      'invalid',
      'This node is in no cluster yet: start it with --join-token (made by: lxd-ts query -X POST --wait -d \'{"server_name":"NAME"}\' /1.0/cluster/members)',
    );
  }
  const decoded = decodeJoinToken(token);
  const identity = await enroll(decoded, now);
  const joined = { identity, addresses: decoded.addresses, name: decoded.server_name };
  await write(path, JSON.stringify(joined), 0o600);
  return joined;
}
