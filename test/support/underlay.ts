import { execFileSync, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';

/** A switch to which servers in namespaces of their own are plugged: `10.99.0.N` on `under0`. */
export interface Underlay extends Disposable {
  /** @returns the server's address */
  attach(server: { readonly pid: number }, host: number): string;
  /** Pulls a server's plug, or puts it back. */
  plug(host: number, connected: boolean): void;
  /** Two servers no longer hear each other, and all others do; or they hear each other again. */
  cut(one: number, other: number, apart: boolean): void;
}

const networkOf = (pid: number | 'self'): string => {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return '';
  }
};

export async function makeUnderlay(): Promise<Underlay> {
  const holder = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' });
  const { pid } = holder;
  if (pid === undefined) throw new Error('unshare did not start');
  while (networkOf(pid) === '' || networkOf(pid) === networkOf('self'))
    await new Promise((done) => setTimeout(done, 5));
  const servers = new Map<number, () => number>();
  const inside = (of: number, ...words: string[]) =>
    execFileSync('nsenter', ['-t', String(of), '-n', 'ip', ...words], { stdio: 'pipe' });
  inside(pid, 'link', 'add', 'switch', 'type', 'bridge');
  inside(pid, 'link', 'set', 'switch', 'up');
  return {
    attach: (attached, host) => {
      const server = attached.pid;
      servers.set(host, () => attached.pid);
      const port = `port${host}`;
      const peer = ['type', 'veth', 'peer', 'name', 'under0', 'netns', String(server)];
      inside(pid, 'link', 'add', port, ...peer);
      inside(pid, 'link', 'set', port, 'master', 'switch', 'up');
      inside(server, 'addr', 'add', `10.99.0.${host}/24`, 'dev', 'under0');
      inside(server, 'link', 'set', 'under0', 'up');
      return `10.99.0.${host}`;
    },
    cut: (one, other, apart) => {
      for (const [here, there] of [
        [one, other],
        [other, one],
      ] as const) {
        const server = servers.get(here);
        if (server === undefined) throw new Error(`no host ${here}`);
        const rules = apart
          ? `table inet cut${there} { chain input { type filter hook input priority -300; ip saddr 10.99.0.${there} drop; }; }`
          : `delete table inet cut${there}`;
        execFileSync('nsenter', ['-t', String(server()), '-n', 'nft', '-f', '-'], { input: rules });
      }
    },
    plug: (host, connected) => {
      inside(pid, 'link', 'set', `port${host}`, connected ? 'up' : 'down');
    },
    [Symbol.dispose]: () => {
      holder.kill('SIGKILL');
    },
  };
}
