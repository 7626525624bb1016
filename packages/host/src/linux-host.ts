import { readFile, statfs, writeFile } from 'node:fs/promises';
import type { Host } from './host.ts';
import { parseMountinfo } from './mounts.ts';
import { openPipe } from './open-pipe.ts';
import { openProgram } from './open-program.ts';
import { daemonize, run } from './run.ts';

/** The kernel of this machine, through its own tools and files. */
export function linuxHost(): Host {
  const mounts: Host['mounts'] = async () => parseMountinfo(await readFile('/proc/self/mountinfo', 'utf8'));

  return {
    run,
    open: openProgram,
    pipe: openPipe,
    daemonize,
    signalProcess: async (pid, marker, signal) => {
      const cmdline = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      // Pid 0 and below would be groups, 1 is init, and nothing is in everything.
      if (pid <= 1 || marker === '' || !cmdline.includes(marker)) return false;
      try {
        return process.kill(pid, signal);
      } catch {
        return false;
      }
    },
    mounts,
    mount: async ({ source, target, fsType, options = [] }, { signal }) => {
      const type = fsType === undefined ? [] : ['-t', fsType];
      const flags = options.length > 0 ? ['-o', options.join(',')] : [];
      await run(['mount', ...type, ...flags, '--', source, target], { signal });
    },
    unmount: async (target, { signal, lazy }) => {
      if (!(await mounts()).some((mount) => mount.target === target)) return;
      await run(['umount', ...(lazy ? ['-l'] : []), '--', target], { signal });
    },
    statfs: async (path) => {
      const { bsize, blocks, bfree, files, ffree } = await statfs(path);
      return {
        used: (blocks - bfree) * bsize,
        total: blocks * bsize,
        inodesUsed: files - ffree,
        inodesTotal: files,
      };
    },
    ip: async (lines, { signal }) => {
      await run(['ip', '-batch', '-'], { signal, input: `${lines.join('\n')}\n` });
    },
    ipJson: async (args, { signal }) => {
      const { stdout } = await run(['ip', '-json', ...args], { signal });
      return stdout.trim() === '' ? [] : (JSON.parse(stdout) as unknown);
    },
    nft: async (ruleset, { signal }) => {
      await run(['nft', '-f', '-'], { signal, input: ruleset });
    },
    readSysctl: (path) =>
      readFile(`/proc/sys/${path}`, 'utf8').then(
        (text) => text.trim(),
        () => undefined,
      ),
    writeSysctl: async (path, value) => {
      await writeFile(`/proc/sys/${path}`, value);
    },
  };
}
