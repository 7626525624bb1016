import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { LxdError } from '@lxd-ts/core';
import { openSftp } from '@lxd-ts/client';
import { command } from '../../base/command.ts';

export default command({
  usage: '[<remote>:]<instance>[/<path>] [<directory>]',
  arity: [1, 2],
  description: `Mounts the files of an instance, running or not, on a directory of this machine, until ctrl+c or umount.
It needs the program sshfs. Files have the owners that they have inside. Without a directory they are served by SFTP over SSH\non this machine, for whoever knows the password that is shown.`,
  examples: [
    ['file mount c1/root /mnt/c1', "Root's files of c1"],
    ['file mount c1 --listen 127.0.0.1:2222', 'All of them, for sftp -P 2222'],
  ],
  flags: {
    'auth-user': { kind: 'string', value: 'name', help: 'Who may log in there, instead of a random name' },
    listen: { kind: 'string', value: 'address:port', help: 'Serve them by SFTP over SSH there instead' },
    'no-auth': { kind: 'boolean', help: 'Let everybody in there' },
  },
  async run(shell, [text = '', target], flags) {
    if (flags.listen !== undefined && target !== undefined)
      throw new LxdError('invalid', 'A directory and "--listen" cannot be given together');
    const slash = text.indexOf('/');
    const [context, instance] = await shell.require(slash < 0 ? text : text.slice(0, slash), 'instance');
    if (target === undefined) {
      if (slash >= 0) throw new LxdError('invalid', 'A path cannot be given where all files are served');
      const { listen } = await import('./listen.ts');
      await listen(shell, context.client, instance, {
        address: flags.listen ?? '127.0.0.1:0',
        user: flags['auth-user'],
        open: flags['no-auth'],
      });
      return undefined;
    }
    const path = slash < 0 ? '/' : text.slice(slash);
    const found = await stat(target).catch(() => undefined);
    if (!found?.isDirectory()) throw new LxdError('not-found', `"${target}" is not a directory`);
    const stream = await openSftp(context.client, instance);
    // It speaks SFTP on its stdin and stdout, and stays until it is unmounted.
    const child = spawn('sshfs', ['-o', 'slave', `${instance}:${path}`, target], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    const ended = Promise.withResolvers<number | null>();
    child.once('error', (error) =>
      ended.reject(new LxdError('unavailable', 'Cannot run sshfs: is it installed?', { cause: error })),
    );
    child.once('close', ended.resolve);
    const restores = (['SIGINT', 'SIGTERM'] as const).map((signal) =>
      shell.io.onSignal(signal, () => child.kill('SIGTERM')),
    );
    try {
      shell.say(`${instance}${path} is mounted on ${target}; ctrl+c ends it`);
      pipeline(stream, child.stdin).catch(() => undefined);
      pipeline(child.stdout, stream).catch(() => undefined);
      const code = await ended.promise;
      if (code !== 0 && code !== null) throw new LxdError('internal', `sshfs ended with status ${code}`);
    } finally {
      for (const restore of restores) restore();
      stream.destroy();
    }
    return undefined;
  },
});
