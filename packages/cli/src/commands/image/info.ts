import type { Image } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { textOutput } from '../../base/output.ts';
import { imageSize, isUnsetTime, shortTime } from '../../format/units.ts';
import { findImage } from './find-image.ts';

const time = (text: string, unset: string): string => (isUnsetTime(text) ? unset : shortTime(text));

/** What `image info` says. */
export function imageInfo(image: Image): string {
  const { update_source: source } = image;
  const properties = Object.entries(image.properties).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `Fingerprint: ${image.fingerprint}`,
    `Size: ${imageSize(image.size)}`,
    `Architecture: ${image.architecture}`,
    `Type: ${image.type}`,
    `Public: ${image.public ? 'yes' : 'no'}`,
    'Timestamps:',
    ...(isUnsetTime(image.created_at) ? [] : [`    Created: ${shortTime(image.created_at)}`]),
    `    Uploaded: ${time(image.uploaded_at, 'unknown')}`,
    `    Expires: ${time(image.expires_at, 'never')}`,
    `    Last used: ${time(image.last_used_at, 'never')}`,
    'Properties:',
    ...properties.map(([key, value]) => `    ${key}: ${value}`),
    'Aliases:',
    ...(image.aliases ?? []).map(
      ({ name, description }) => `    - ${name}${description ? ` (${description})` : ''}`,
    ),
    `Cached: ${image.cached ? 'yes' : 'no'}`,
    `Auto update: ${image.auto_update ? 'enabled' : 'disabled'}`,
    ...(source
      ? [
          'Source:',
          `    Server: ${source.server}`,
          `    Protocol: ${source.protocol}`,
          `    Alias: ${source.alias}`,
        ]
      : []),
    ...(image.profiles?.length
      ? ['Profiles:', ...image.profiles.map((name) => `    - ${name}`)]
      : ['Profiles: []']),
  ].join('\n');
}

export default command({
  usage: '[<remote>:]<image>',
  arity: [1, 1],
  description: 'Shows the facts about an image.',
  flags: { vm: { kind: 'boolean', help: 'An image for virtual machines' } },
  run: async (shell, [image]) => textOutput(imageInfo(await findImage(...(await shell.image(image))))),
});
