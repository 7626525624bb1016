import { command } from '../../base/command.ts';
import { parseKeyValues } from '../../base/key-values.ts';
import { notice } from '../../base/output.ts';

export default command({
  usage: '[<remote>:]<network> [<key>=<value>...]',
  arity: [1, Infinity],
  description: 'Creates a network.',
  examples: [
    ['network create lxdbr1', 'A bridge with addresses chosen by the server'],
    ['network create lxdbr1 ipv4.address=10.20.0.1/24 ipv6.address=none', 'With a chosen one'],
  ],
  flags: {
    target: { kind: 'string', value: 'member', help: 'Cluster member' },
    type: { kind: 'string', short: 't', value: 'type', help: 'Type of network (default bridge)' },
  },
  async run(shell, [arg, ...options], { target, type }) {
    const [context, name] = await shell.require(arg, 'network');
    await context.change('POST', '/1.0/networks', {
      body: { name, config: parseKeyValues(options), ...(type === undefined ? {} : { type }) },
      query: { target },
    });
    return notice(
      target === undefined ? `Network ${name} created` : `Network ${name} pending on member ${target}`,
    );
  },
});
