import { command } from '../../base/command.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { sortRows } from '../../format/units.ts';
import { writeRemote, type Remote } from '../../remotes/remote.ts';

const authentication = ({ addr, protocol, authType }: Remote): string =>
  authType || (addr.startsWith('unix:') ? 'file access' : protocol === 'lxd' ? 'tls' : 'none');

const yes = (value: boolean): string => (value ? 'YES' : 'NO');

export default command({
  usage: '',
  arity: [0, 0],
  description: 'Lists the servers that have names.',
  flags: { format: formatFlag },
  async run(shell, _args, flags) {
    const format = parseFormat(flags.format);
    const { remotes, defaultRemote } = await shell.config();
    const sorted = [...remotes].sort(([a], [b]) => (a < b ? -1 : 1));
    const rows = sorted.map(([name, one]) => [
      name === defaultRemote ? `${name} (current)` : name,
      one.addr,
      one.protocol,
      authentication(one),
      yes(one.public),
      yes(one.static),
      yes(one.global),
    ]);
    const record = (one: Remote): object =>
      format === 'json'
        ? {
            Addr: one.addr,
            AuthType: one.authType,
            Domain: '',
            Project: one.project,
            Protocol: one.addr === 'unix://' ? '' : one.protocol,
            Public: one.public,
            Global: one.global,
            Static: one.static,
          }
        : writeRemote(one);
    return {
      kind: 'list',
      format,
      header: ['NAME', 'URL', 'PROTOCOL', 'AUTH TYPE', 'PUBLIC', 'STATIC', 'GLOBAL'],
      rows: sortRows(rows),
      records: Object.fromEntries(sorted.map(([name, one]) => [name, record(one)])),
    };
  },
});
