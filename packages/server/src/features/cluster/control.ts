import { LxdError } from '@lxd-ts/core';

/** One option of a pool or network that a machine is asked for when it joins. */
export interface MemberConfigKey {
  entity: string;
  name: string;
  key: string;
  value: string;
}

/** How this machine joins a cluster. */
export interface JoinRequest {
  /** Its name in the cluster. */
  serverName: string;
  /** `HOST:PORT` by which the other members will reach it. */
  serverAddress: string;
  /** `HOST:PORT` of a member, and others to try after it. */
  clusterAddresses: string[];
  /** PEM of the cluster's certificate; '' when only its fingerprint is known. */
  clusterCertificate: string;
  /** SHA-256 of the cluster's certificate as the token says it; '' when the PEM is given. */
  fingerprint: string;
  /** Of the join token. */
  secret: string;
  memberConfig: MemberConfigKey[];
}

export interface ControlOptions {
  signal: AbortSignal;
}

/**
 * What the cluster needs of the daemon: listeners, certificates, etcd voters, the change from one machine to a member and
 * back. Records are the features' own.
 */
export interface ClusterControl {
  /** Whether this server is part of a cluster (of one, too). */
  clustered(): boolean;
  /** `HOST:PORT` by which other members reach this one; '' where none is served. */
  address(): string;
  /** PEM of the certificate that the cluster's REST API shows. */
  certificate(): string;
  /**
   * This machine becomes the first member of a cluster; its records are renamed when the API starts again, which is right
   * after the answer.
   * @param request.address `HOST:PORT` by which other members will reach it
   * @throws LxdError `invalid` for an address that nobody can listen on
   */
  enable(request: { serverName: string; address: string }, options: ControlOptions): Promise<void>;
  /** This machine, which has nothing of its own, becomes a member of another cluster. Ends with this server's records. */
  join(request: JoinRequest, options: ControlOptions): Promise<void>;
  /** The certificate of a member that is taken in, for the key of its request. @throws LxdError `invalid` for a bad request */
  certify(
    name: string,
    certificateRequest: string,
  ): Promise<{ certificate: string; fingerprint: string; authority: string }>;
  /** This machine, no longer a member, starts anew by itself. */
  leave(options: ControlOptions): Promise<void>;
  /** A new certificate of the cluster, on every member. PEM. */
  updateCertificate(pair: { certificate: string; key: string }, options: ControlOptions): Promise<void>;
  /**
   * A member is about to be forgotten: it stops being a voter, is told to `leave` where it can be reached, and its
   * certificate is good for nothing. Idempotent.
   * @param force it may be dead
   */
  removeMember(name: string, request: { force: boolean }, options: ControlOptions): Promise<void>;
  /** A member gets a certificate for its new name and goes on under it; its record is there under both. Idempotent. */
  renameMember(from: string, to: string, options: ControlOptions): Promise<void>;
  /** The member that leads etcd; undefined where nobody knows. */
  leader?(): string | undefined;
  /** A member's roles have changed: voters may have to move. */
  rolesChanged?(name: string, options: ControlOptions): Promise<void>;
}

const alone = (): never => {
  throw new LxdError('unavailable', 'This server cannot be part of a cluster');
};

/** Of a server that is no cluster's and cannot become one. */
export const standalone: ClusterControl = {
  clustered: () => false,
  address: () => '',
  certificate: () => '',
  enable: async () => alone(),
  join: async () => alone(),
  certify: async () => alone(),
  leave: async () => alone(),
  updateCertificate: async () => alone(),
  removeMember: async () => alone(),
  renameMember: async () => alone(),
};
