import { arch } from 'node:os';

/** As LXD names the kind of this machine. */
export const native =
  { x64: 'x86_64', arm64: 'aarch64', arm: 'armv7l', ia32: 'i686', ppc64: 'ppc64le' }[arch() as string] ??
  arch();
