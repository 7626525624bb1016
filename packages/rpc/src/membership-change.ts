/** What a member is told of its place in the cluster. */
export type MembershipChange =
  /** Where the control plane's members are, `HOST:PORT`. */
  | { kind: 'control-plane'; addresses: string[] }
  /** It becomes a member of the control plane: answers when it has what it needs, and serves as soon as its etcd does. */
  | {
      kind: 'promote';
      authority: { certificate: string; key: string };
      clusterCertificate: { certificate: string; key: string };
      /** Peers of the etcd it joins: name → URL, its own included. */
      etcd: Record<string, string>;
    }
  /** It is of the control plane no longer. */
  | { kind: 'demote'; controlPlane: string[] }
  /** What clients are shown of the cluster from now on; for members of the control plane. */
  | { kind: 'certificate'; certificate: string; key: string }
  /** It has another name from now on, and a certificate that says so. */
  | { kind: 'rename'; name: string; certificate: string; key: string }
  /** It is removed: alone from now on. */
  | { kind: 'leave' };
