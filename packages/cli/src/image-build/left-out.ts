/**
 * What is never in an image: what belongs to one machine (ids, keys, seeds, logs), what tells when it was built, and what can
 * be made again. Files that the image needs to be there are emptied instead.
 */
export const leftOut: readonly string[] = [
  ...['/run/*', '/tmp/*', '/var/tmp/*'],
  ...[
    '/var/log/*.log',
    '/var/log/*/*',
    '/var/log/btmp',
    '/var/log/wtmp',
    '/var/log/lastlog',
    '/var/log/faillog',
  ],
  ...['/var/log/dmesg*', '/var/log/syslog*', '/var/log/messages*', '/var/log/tallylog'],
  ...['/var/lib/dbus/machine-id', '/var/lib/systemd/random-seed', '/var/lib/systemd/credential.secret'],
  ...['/var/lib/systemd/timers/*', '/var/lib/systemd/timesync/*', '/var/lib/urandom/random-seed'],
  ...['/etc/ssh/ssh_host_*_key', '/etc/ssh/ssh_host_*_key.pub'],
  '/var/cache/ldconfig/aux-cache',
  ...['/var/lib/apt/lists/*', '/var/cache/apt/*.bin', '/var/cache/apt/archives/*.deb'],
  ...['/var/cache/apt/archives/partial/*', '/var/cache/apt/archives/lock', '/var/lib/dpkg/lock*'],
  ...['/var/cache/debconf/*-old', '/var/lib/dpkg/*-old', '/var/lib/apt/extended_states.old'],
  ...['/etc/passwd-', '/etc/group-', '/etc/shadow-', '/etc/gshadow-', '/etc/subuid-', '/etc/subgid-'],
  ...['/var/cache/apk/*', '/var/cache/dnf/*', '/var/cache/yum/*', '/var/lib/dhcp/*'],
  ...['/root/.bash_history', '/root/.ash_history', '/root/.wget-hsts'],
];
