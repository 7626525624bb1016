/** One member as the scheduler sees it; it never changes during a decision. */
export interface MemberView {
  name: string;
  state: 'online' | 'offline' | 'evacuated';
  /** As LXD names it, e.g. `x86_64`; what it can run besides is in `alsoRuns`. */
  architecture: string;
  /** Such as `i686` on an `x86_64` member. */
  alsoRuns?: readonly string[];
  cpus: number;
  memoryBytes: number;
  memoryFreeBytes: number;
  /** How many it holds, running or not. */
  instances: number;
}

export interface Snapshot {
  members: readonly MemberView[];
}
