import type { StorageVolume } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { textOutput } from '../../base/output.ts';
import { renderTable } from '../../format/table.ts';
import { binarySize, isUnsetTime, shortTime } from '../../format/units.ts';
import { parseVolume, volumePath, volumeTarget } from './volume-name.ts';

interface Snapshot {
  name: string;
  description: string;
  expires_at: string | null;
}

export default command({
  usage: '[<remote>:]<pool> <volume>',
  arity: [2, 2],
  description: 'Shows how much is in a volume, and its snapshots.',
  flags: volumeTarget,
  async run(shell, [arg, text], { target }) {
    const [{ client }, pool] = await shell.require(arg, 'storage pool');
    const path = volumePath(pool, parseVolume(text));
    const query = { target };
    const volume = await client.get<StorageVolume>(path, { query });
    const { usage } = await client.get<{ usage: { used?: number; total: number } }>(`${path}/state`, {
      query,
    });
    const snapshots = await client.get<Snapshot[]>(`${path}/snapshots`, {
      query: { ...query, recursion: 1 },
    });
    const lines = [
      `Name: ${volume.name}`,
      ...(volume.description ? [`Description: ${volume.description}`] : []),
      `Type: ${volume.type}`,
      `Content type: ${volume.content_type}`,
      ...(volume.location && volume.location !== 'none' ? [`Location: ${volume.location}`] : []),
      ...(usage.used === undefined ? [] : [`Usage: ${binarySize(usage.used)}`]),
      ...(usage.total > 0 ? [`Total: ${binarySize(usage.total)}`] : []),
    ];
    if (snapshots.length > 0) {
      const rows = snapshots.map(({ name, description, expires_at: expires }) => [
        name.split('/').pop() ?? name,
        description,
        expires === null || isUnsetTime(expires) ? '' : shortTime(expires),
      ]);
      lines.push('', 'Snapshots:', renderTable(['NAME', 'DESCRIPTION', 'EXPIRES AT'], rows).trimEnd());
    }
    return textOutput(lines.join('\n'));
  },
});
