import { command } from '../../base/command.ts';
import { copyFlags, copyInstance } from './copy-instance.ts';

export default command({
  usage: '[<remote>:]<instance>[/<snapshot>] [[<remote>:][<new name>]]',
  arity: [1, 2],
  description: `Makes a copy of an instance, with its snapshots and its configuration; also of an instance on another server.
Between servers the target fetches from the source unless --mode says otherwise: the one that is connected to must
listen on the network.`,
  examples: [
    ['copy c1 c2', 'Copy c1 to c2'],
    ['copy c1 c2 -c limits.cpu=2 --instance-only', 'With another limit, without snapshots'],
    ['copy c1 far: --stateless', 'Copy the running c1 to the server "far", under the same name'],
    ['copy c1 far: --refresh', 'Bring that copy up to date: only what changed is sent'],
    ['copy c1/snap0 far:c3', 'A snapshot as a new instance'],
  ],
  flags: {
    ...copyFlags,
    ephemeral: { kind: 'boolean', short: 'e', help: 'Delete the copy when it stops' },
    refresh: { kind: 'boolean', help: 'Bring an earlier copy up to date' },
  },
  async run(shell, [from, to], flags) {
    const source = await shell.require(from, 'instance');
    const target = await shell.parse(to);
    const options = { refresh: flags.refresh, ephemeral: flags.ephemeral, keepVolatile: false };
    const [, name] = await copyInstance(source, target, flags, options);
    if (target[1] === '' && source[0].remote === target[0].remote) shell.say(`Instance name is: ${name}`);
    return undefined;
  },
});
