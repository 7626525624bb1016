import { selectAptOptions, selectSources } from './apt-sources.ts';
import { mmdebstrapArgs } from './mmdebstrap-args.ts';
import { metadataYaml } from './metadata.ts';

describe('apt sources', () => {
  const files = [
    {
      name: '/etc/apt/sources.list',
      text: [
        '# comment',
        'deb [signed-by=/k.gpg] http://deb.example/debian bookworm main',
        'deb-src http://deb.example/debian bookworm main',
        'deb http://deb.example/debian-security bookworm-security main contrib',
        'deb https://third.example/apt tool-bookworm main',
      ].join('\n'),
    },
    {
      name: '/etc/apt/sources.list.d/debian.sources',
      text: [
        'Types: deb\n# note\nURIs: http://deb.example/debian\nSuites: bookworm bookworm-updates\nComponents: main',
        'Types: deb\nURIs: https://third.example\nSuites: nodistro\nComponents: main',
        'Enabled: no\nTypes: deb\nURIs: http://off.example\nSuites: bookworm\nComponents: main',
      ].join('\n\n'),
    },
  ];

  it('takes those of the distribution only', () => {
    const { list, deb822 } = selectSources(files, 'bookworm', 'bookworm');
    expect(list).toBe(
      'deb [signed-by=/k.gpg] http://deb.example/debian bookworm main\n' +
        'deb http://deb.example/debian-security bookworm-security main contrib\n',
    );
    expect(deb822).toBe(
      'Types: deb\nURIs: http://deb.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n',
    );
  });

  it('puts another release in', () => {
    const { list, deb822 } = selectSources(files, 'bookworm', 'trixie');
    expect(list).toContain('debian-security trixie-security main');
    expect(deb822).toContain('Suites: trixie trixie-updates');
  });

  it('keeps proxies and checks, not the rest of the configuration', () => {
    const dump =
      'APT "";\nAcquire::http::Proxy "http://p:3128";\nAcquire::Check-Date "0";\nAcquire::cdrom "";\n';
    expect(selectAptOptions(dump)).toBe('Acquire::http::Proxy "http://p:3128";\nAcquire::Check-Date "0";\n');
  });
});

describe('mmdebstrap', () => {
  const paths = { rootfs: '/t/rootfs', aptOptions: '/t/apt.conf', sources: ['/t/debian.sources'] };

  it('is given words, never a line for a shell', () => {
    const args = mmdebstrapArgs('bookworm', { variant: 'minbase', include: ['curl'] }, paths);
    expect(args.slice(-3)).toEqual(['bookworm', '/t/rootfs', '/t/debian.sources']);
    expect(args.find((arg) => arg.startsWith('--include='))).toMatch(/\budev\b.*,systemd-resolved,curl$/);
  });

  it('knows that resolved is part of systemd before Debian 12', () => {
    const args = mmdebstrapArgs('bullseye', { variant: 'minbase', include: [] }, paths);
    expect(args.join(' ')).not.toContain('systemd-resolved');
  });
});

describe('metadata.yaml', () => {
  it('tells architecture, time and properties', () => {
    const text = metadataYaml({
      release: 'bookworm',
      architecture: 'amd64',
      variant: 'minbase',
      created: new Date('2026-11-23T04:35:10Z'),
    });
    expect(text).toBe(
      [
        'architecture: "x86_64"',
        'creation_date: 1795408510',
        'properties:',
        '  os: "Debian"',
        '  release: "bookworm"',
        '  architecture: "amd64"',
        '  variant: "minbase"',
        '  serial: "20261123_0435"',
        '  description: "Debian bookworm amd64 (20261123_0435)"',
        '',
      ].join('\n'),
    );
  });
});
