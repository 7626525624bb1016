import { X509Certificate } from 'node:crypto';
import type { Certificate } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { longTime, sortRows } from '../../format/units.ts';

/** The rest of the columns is in the certificate itself. */
export function certificateRow({ type, name, fingerprint, certificate }: Certificate): string[] {
  const { subject, validFrom, validTo } = new X509Certificate(certificate);
  const commonName = /^CN=(.*)$/m.exec(subject)?.[1] ?? '';
  const time = (text: string): string => longTime(new Date(text).toISOString());
  return [type, name, commonName, fingerprint.slice(0, 12), time(validFrom), time(validTo)];
}

export default command({
  usage: '[<remote>:]',
  arity: [0, 1],
  description: 'Lists the clients that the server trusts.',
  flags: { format: formatFlag },
  async run(shell, args, flags) {
    const format = parseFormat(flags.format);
    const { client } = await shell.onlyRemote(args);
    const certificates = await client.get<Certificate[]>('/1.0/certificates', { query: { recursion: 1 } });
    return {
      kind: 'list',
      format,
      header: ['TYPE', 'NAME', 'COMMON NAME', 'FINGERPRINT', 'ISSUE DATE', 'EXPIRY DATE'],
      rows: sortRows(certificates.map(certificateRow)),
      records: certificates,
    };
  },
});
