/** Installs its arguments with what the image has for that. */
const script = `
if command -v apt-get >/dev/null; then
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
  fi
  apt-get -q update
  apt-get -qy --no-install-recommends -o Dpkg::Use-Pty=0 install -- "$@"
  apt-get clean
elif command -v apk >/dev/null; then apk add --no-cache -- "$@"
elif command -v dnf >/dev/null; then dnf -y --setopt=install_weak_deps=False install -- "$@"
elif command -v zypper >/dev/null; then zypper -n install --no-recommends -- "$@"
elif command -v pacman >/dev/null; then pacman -Sy --noconfirm -- "$@"
else echo 'packages: this image has none of apt-get, apk, dnf, zypper, pacman' >&2; exit 1
fi
`;

/** The command that installs packages in an image. No service is started by it. */
export const packageCommand = (packages: readonly string[]): string[] => [
  ...['/bin/sh', '-ec', script, 'packages'],
  ...packages,
];
