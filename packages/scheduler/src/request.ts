/** What is set aside for an instance on its member. Sizes in bytes; 0: it takes what is there. */
export interface Reservation {
  cpus: number;
  memoryBytes: number;
  /** Pool → size of what the instance has there. */
  disk: Readonly<Record<string, number>>;
}

export interface PlaceRequest {
  /** Empty: any. */
  architecture: string;
  reserve: Reservation;
  /** Must all be on the member. */
  pools: readonly string[];
  networks: readonly string[];
  /** Custom volumes, `POOL/NAME`. */
  volumes: readonly string[];
  /** Only this member, or any of this group; neither: all that accept anybody. */
  target?: { member: string } | { group: string };
  labels: readonly string[];
  /** Beside an instance that has one of these, if there is such an instance anywhere. */
  affinity: readonly string[];
  /** Never beside one that has one of these; and it holds the other way round too. */
  antiAffinity: readonly string[];
}

export const nothing: Reservation = { cpus: 0, memoryBytes: 0, disk: {} };
