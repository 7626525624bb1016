import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBusyboxRootfs } from './busybox.ts';
import { makeLayer } from './oci-image.ts';

const run = `#!/bin/sh
trap 'echo stopped >/data/stopped; exit 0' TERM
{ id -u; id -g; id -G; pwd; echo "$GREETING"; echo "$HOME"; hostname; for word; do echo "[$word]"; done; } >/data/ran
httpd -p 80 -h /srv
while :; do sleep 0.05; done
`;
/** How it runs: as a named user, with words that are not easily quoted. */
export const appConfig = {
  Entrypoint: ['/app/run.sh'],
  Cmd: ['two words', `it's "quoted"`],
  Env: ['PATH=/bin:/sbin:/app', 'GREETING=hello  world'],
  User: 'app',
  WorkingDir: '/work/deep',
};

/** An application that writes down how it was started, and serves a page: what others may share, and its own files. */
export function makeAppLayers(dir: string): { base: Buffer; files: Buffer } {
  const base = makeLayer(dir, (root) => {
    makeBusyboxRootfs(root);
    writeFileSync(
      join(root, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:App:/home/app:/bin/sh\n',
    );
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\napp:x:1001:\nextra:x:2000:root,app\n');
    symlinkSync('/etc/hostname', join(root, 'etc/resolv.conf'));
    mkdirSync(join(root, 'old/things'), { recursive: true });
    writeFileSync(join(root, 'old/things/here'), 'below');
    writeFileSync(join(root, 'old/file'), 'below');
  });
  const files = makeLayer(dir, (root) => {
    for (const path of ['app', 'data', 'srv', 'old/things', 'etc'])
      mkdirSync(join(root, path), { recursive: true });
    writeFileSync(join(root, 'app/run.sh'), run, { mode: 0o755 });
    writeFileSync(join(root, 'srv/index.html'), 'served');
    execFileSync('chown', ['1000:1001', join(root, 'data')]);
    writeFileSync(join(root, 'old/.wh.file'), '');
    writeFileSync(join(root, 'old/things/.wh..wh..opq'), '');
    writeFileSync(join(root, 'old/things/new'), 'above');
  });
  return { base, files };
}
