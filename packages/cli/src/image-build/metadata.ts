/** How LXD spells the architectures of Debian. */
const architectures: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  arm64: 'aarch64',
  armhf: 'armv7l',
  armel: 'armv6l',
  i386: 'i686',
  ppc64el: 'ppc64le',
  riscv64: 'riscv64',
  s390x: 's390x',
};

export interface ImageFacts {
  release: string;
  /** As dpkg spells it. */
  architecture: string;
  variant: string;
  created: Date;
  /** Default: Debian. */
  os?: string;
}

/** `metadata.yaml` of an image. JSON strings are YAML strings, which saves the YAML library here. */
export function metadataYaml({ release, architecture, variant, created, os = 'Debian' }: ImageFacts): string {
  const serial = created.toISOString().slice(0, 16).replaceAll(/[-:]/g, '').replace('T', '_');
  const properties = {
    os,
    release,
    architecture,
    variant,
    serial,
    description: `${os} ${release} ${architecture} (${serial})`,
  };
  return [
    `architecture: ${JSON.stringify(architectures[architecture] ?? architecture)}`,
    `creation_date: ${Math.floor(created.getTime() / 1000)}`,
    'properties:',
    ...Object.entries(properties).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`),
    '',
  ].join('\n');
}
