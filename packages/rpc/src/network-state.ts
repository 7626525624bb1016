export interface NetworkCounters {
  bytesReceived: number;
  bytesSent: number;
  packetsReceived: number;
  packetsSent: number;
}

export interface NetworkAddress {
  family: 'inet' | 'inet6';
  address: string;
  /** Prefix length. */
  netmask: string;
  scope: 'global' | 'link' | 'local';
}

export interface NetworkState {
  addresses: NetworkAddress[];
  counters: NetworkCounters;
  hwaddr: string;
  mtu: number;
  state: 'up' | 'down';
  type: 'broadcast' | 'loopback' | 'point-to-point' | 'unknown';
}

export interface NetworkLease {
  hostname: string;
  hwaddr: string;
  address: string;
  type: 'static' | 'dynamic' | 'gateway';
}

/** An interface of the host, managed by us or not. */
export interface HostInterface {
  name: string;
  /** `bridge`, `physical`, `loopback`, `vlan`, `bond` or another word of the kernel's; else `unknown`. */
  type: string;
}
