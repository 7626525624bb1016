import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { prompt } from '../../base/prompt.ts';
import { clientTokens, tokenOf } from '../../base/tokens.ts';

async function readCertificate(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new LxdError('not-found', `Cannot read "${path}": ${(error as Error).message}`, { cause: error });
  }
  try {
    return new X509Certificate(text).raw.toString('base64');
  } catch (error) {
    throw new LxdError('invalid', `There is no certificate in "${path}"`, { cause: error });
  }
}

export default command({
  usage: '[<remote>:] [<certificate file>]',
  arity: [0, 2],
  description: `Lets a client work with the server: the one that has a certificate, or whoever brings a token that is printed here
and can be used once ("lxd-ts remote add").`,
  examples: [
    ['config trust add --name laptop', 'A token for "laptop"'],
    ['config trust add client.crt --restricted --projects web', 'A certificate, for one project only'],
    [
      'config trust add prometheus.crt --type metrics',
      'A certificate that may read metrics and nothing else',
    ],
  ],
  flags: {
    name: { kind: 'string', value: 'name', help: 'What to call the client' },
    projects: { kind: 'list', value: 'projects', help: 'Projects that a restricted client may use' },
    restricted: { kind: 'boolean', help: 'Restrict the client to projects' },
    type: { kind: 'string', value: 'client|metrics', help: 'Type of certificate (default client)' },
  },
  async run(shell, args, flags) {
    const { type = 'client', restricted } = flags;
    if (type !== 'client' && type !== 'metrics')
      throw new LxdError('invalid', `Unknown certificate type "${type}"`);
    const projects = flags.projects.flatMap((list) => list.split(',')).filter(Boolean);
    const [context, [file]] = await shell.remoteFirst(args);
    const common = { type, restricted, projects };
    if (file !== undefined) {
      const name = flags.name ?? basename(file);
      const certificate = await readCertificate(file);
      await context.change('POST', '/1.0/certificates', { body: { ...common, name, certificate } });
      return undefined;
    }
    if (type === 'metrics')
      throw new LxdError('invalid', 'Cannot use metrics type certificate when using a token');
    const name = flags.name ?? (await prompt(shell, 'Please provide client name: '));
    const operation = await context.client.change('POST', '/1.0/certificates', {
      body: { ...common, name, token: true },
    });
    const { token } = tokenOf(clientTokens, operation);
    shell.say(`Client ${name} certificate add token:`);
    return { kind: 'text', text: token };
  },
});
