import { readFile } from 'node:fs/promises';
import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { requireCluster } from './members.ts';

async function read(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new LxdError('not-found', `Could not find certificate ${what} path: ${path}`, { cause: error });
  }
}

export default command({
  usage: '[<remote>:] <certificate file> <key file>',
  arity: [2, 3],
  description: 'Replaces the certificate that all members show to clients.',
  examples: [['cluster update-certificate cluster.crt cluster.key', 'Both as PEM']],
  async run(shell, args) {
    const named = args.length === 3;
    const context = await shell.onlyRemote(named ? args.slice(0, 1) : []);
    const [certificatePath = '', keyPath = ''] = named ? args.slice(1) : args;
    await requireCluster(context);
    const [certificate, key] = [await read(certificatePath, 'file'), await read(keyPath, 'key file')];
    await context.change('PUT', '/1.0/cluster/certificate', {
      body: { cluster_certificate: certificate, cluster_certificate_key: key },
    });
    // The server is known by its certificate from now on.
    const config = await shell.config();
    if (config.serverCertificate(context.remote) !== undefined) await config.pin(context.remote, certificate);
    return notice(`Successfully updated cluster certificates for remote ${context.remote}`);
  },
});
