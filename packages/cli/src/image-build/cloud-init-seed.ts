import type { BuildTemplate } from './document/build-document.ts';

export const seedDirectory = '/var/lib/cloud/seed/';

/** A key of LXD's, or the older name that it had. */
const setting = (name: string, fallback: string): string =>
  `{% if config_get("cloud-init.${name}", "") == "" %}{{ config_get("user.${name}", ${fallback}) }}` +
  `{% else %}{{ config_get("cloud-init.${name}", "") }}{% endif %}\n`;

const metaData = `#cloud-config
instance-id: {{ container.name }}
local-hostname: {{ container.name }}
{{ config_get("user.meta-data", "") }}
`;

const dhcp = 'version: 2\nethernets:\n  eth0:\n    dhcp4: true\n';

const seed = (
  name: string,
  content: string,
  properties: Readonly<Record<string, string>> = {},
): BuildTemplate & { content: string } => ({
  path: `${seedDirectory}nocloud-net/${name}`,
  when: ['create', 'copy'],
  createOnly: false,
  content,
  properties,
});

const nothing = { default: '#cloud-config\n{}\n' };

/** How cloud-init inside learns what the instance's configuration says (its data source NoCloud). */
export const cloudInitSeed = [
  seed('meta-data', metaData),
  seed('user-data', setting('user-data', 'properties.default'), nothing),
  seed('vendor-data', setting('vendor-data', 'properties.default'), nothing),
  seed('network-config', setting('network-config', 'properties.default'), { default: dhcp }),
] as const;
