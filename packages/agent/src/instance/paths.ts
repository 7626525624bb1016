import { join } from 'node:path';
import { projectPrefixed, type InstanceRef } from '@lxd-ts/core';
import type { VolumeRef } from '@lxd-ts/storage';

/** Where one instance's files are under the daemon's directory; LXD's layout. */
export interface InstancePaths {
  /** Its name for liblxc and on disk. */
  id: string;
  /** Link to its volume. */
  link: string;
  /** Link to where its snapshots are. */
  snapshots: string;
  logs: string;
  lxcLog: string;
  lxcConfig: string;
  consoleLog: string;
  /** Device nodes, and what it was started with. */
  devices: string;
  runState: string;
  /** There when it rebooted from inside and was not started again yet. */
  rebooted: string;
  /** There while it stands still for something to be copied. */
  still: string;
  seccomp: string;
}

export function instancePaths(dir: string, ref: InstanceRef): InstancePaths {
  const id = projectPrefixed(ref.project, ref.name);
  const logs = join(dir, 'logs', id);
  const devices = join(dir, 'devices', id);
  return {
    id,
    link: join(dir, 'containers', id),
    snapshots: join(dir, 'snapshots', id),
    logs,
    lxcLog: join(logs, 'lxc.log'),
    lxcConfig: join(logs, 'lxc.conf'),
    consoleLog: join(logs, 'console.log'),
    devices,
    runState: join(devices, 'run.json'),
    rebooted: join(devices, 'rebooted'),
    still: join(devices, 'still'),
    seccomp: join(dir, 'security', 'seccomp', id),
  };
}

/** The instance behind a name on disk: names hold no underscore, so the last one ends the project. */
export function refOfId(id: string): InstanceRef {
  const at = id.lastIndexOf('_');
  return at < 0 ? { project: 'default', name: id } : { project: id.slice(0, at), name: id.slice(at + 1) };
}

/** Its root volume, in whichever pool. */
export const volumeOf = ({ project, name }: InstanceRef): VolumeRef => ({ type: 'container', project, name });
