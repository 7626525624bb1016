import { dockerHub, fieldsOf, textOf } from '@lxd-ts/core';

/** A server that has a name, as `config.yml` keeps it. */
export interface Remote {
  /** `https://host:port`, `unix://` (the daemon of this machine) or `unix:///path/of/socket`. */
  addr: string;
  protocol: 'lxd' | 'simplestreams' | 'oci';
  /** Only images are to be had from it. */
  public: boolean;
  authType: string;
  /** The project that its commands work in, when none is named. */
  project: string;
  /** Built in: it cannot be changed. */
  static: boolean;
  /** Set for everybody on this machine. */
  global: boolean;
}

const remote = (over: Partial<Remote>): Remote => ({
  addr: '',
  protocol: 'lxd',
  public: false,
  authType: '',
  project: '',
  static: false,
  global: false,
  ...over,
});

const images = (addr: string, more: Partial<Remote> = {}): Remote =>
  remote({ addr, protocol: 'simplestreams', public: true, ...more });

export const localRemote: Remote = remote({ addr: 'unix://', static: true });

/** There whatever the configuration says. */
export const staticRemotes: Readonly<Record<string, Remote>> = {
  local: localRemote,
  ubuntu: images('https://cloud-images.ubuntu.com/releases', { static: true }),
  'ubuntu-daily': images('https://cloud-images.ubuntu.com/daily', { static: true }),
};

/** There unless the user has another one of that name. */
export const usualRemotes: Readonly<Record<string, Remote>> = {
  docker: remote({ addr: dockerHub, protocol: 'oci', public: true, static: true }),
};

/** There until somebody removes it. */
export const firstRemotes: Readonly<Record<string, Remote>> = {
  images: images('https://images.linuxcontainers.org'),
};

const protocols = ['lxd', 'simplestreams', 'oci'] as const;

/** Of what a configuration file says. */
export function readRemote(value: unknown, global: boolean): Remote {
  const fields = fieldsOf(value);
  return remote({
    addr: textOf(fields['addr']),
    protocol: protocols.find((one) => one === fields['protocol']) ?? 'lxd',
    public: fields['public'] === true,
    authType: textOf(fields['auth_type']),
    project: textOf(fields['project']),
    global,
  });
}

/** For a configuration file: what is empty is left out. */
export const writeRemote = ({ addr, authType, project, protocol, public: open }: Remote): object => ({
  addr,
  ...(authType === '' ? {} : { auth_type: authType }),
  ...(project === '' ? {} : { project }),
  ...(protocol === 'lxd' && addr === 'unix://' ? {} : { protocol }),
  public: open,
});
