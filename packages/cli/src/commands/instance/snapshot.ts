import { command } from '../../base/command.ts';
import { deleteIfThere } from '../../base/delete-if-there.ts';
import { apiPath } from '../../base/names.ts';

/** LXD's way to say "never" where saying nothing means "as configured". */
const never = '0001-01-01T00:00:00Z';

export default command({
  usage: '[<remote>:]<instance> [<snapshot>]',
  arity: [1, 2],
  description: 'Keeps the state of an instance under a name, to come back to or to copy from.',
  examples: [
    ['snapshot c1 before-upgrade', 'Keep c1 as it is now'],
    ['snapshot c1 nightly --reuse', 'Instead of the one that has this name'],
  ],
  flags: {
    'no-expiry': { kind: 'boolean', help: 'Keep it for ever, whatever snapshots.expiry says' },
    reuse: { kind: 'boolean', help: 'Replace a snapshot of the same name' },
    stateful: { kind: 'boolean', help: 'With the running state' },
  },
  async run(shell, [arg, given], flags) {
    const [context, text] = await shell.require(arg, 'instance');
    const [instance = '', short] = text.split('/');
    const name = given ?? short ?? '';
    const path = apiPath('instances', instance, 'snapshots');
    if (flags.reuse && name !== '') await deleteIfThere(context, `${path}/${encodeURIComponent(name)}`);
    await context.change('POST', path, {
      body: { name, stateful: flags.stateful, ...(flags['no-expiry'] ? { expires_at: never } : {}) },
    });
    return undefined;
  },
});
