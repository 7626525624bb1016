/**
 * Builds what runs: the native parts, and one bundled file each for the daemon and the command.
 *   node scripts/build.ts
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { build, type BuildOptions } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

execFileSync(join(root, 'packages/liblxc/native/build'), { stdio: 'inherit' });

const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  // Native extras of ssh2, which does without them.
  external: ['cpu-features', '*.node'],
  define: { LXD_TS_VERSION: JSON.stringify(version), 'import.meta.dirname': '__dirname' },
  absWorkingDir: root,
  logLevel: 'warning',
};

const programs = [
  { name: 'lxd-ts', entry: 'packages/cli/src/main.ts', outDir: 'packages/cli/dist' },
  { name: 'lxd-tsd', entry: 'packages/daemon/src/main.ts', outDir: 'packages/daemon/dist' },
];

await Promise.all(
  programs.map(async ({ name, entry, outDir }) => {
    const out = join(root, outDir, `${name}.cjs`);
    await build({ ...common, entryPoints: [entry], outfile: out });
    // Started by name from anywhere, with the project's own Node.js. A bundle cannot cache its own compilation, so this does.
    writeFileSync(join(root, outDir, 'package.json'), '{ "type": "commonjs" }\n');
    const launcher = join(root, outDir, name);
    const node = join(root, '.tools/bin/node');
    writeFileSync(launcher, `#!${node}\nrequire('node:module').enableCompileCache();\nrequire('${out}');\n`);
    chmodSync(launcher, 0o755);
  }),
);

// etcd3 reads its protocol description from beside its own code at run time.
const etcd3 = dirname(
  createRequire(join(root, 'packages/daemon/package.json')).resolve('etcd3/package.json'),
);
mkdirSync(join(root, 'packages/daemon/proto'), { recursive: true });
cpSync(join(etcd3, 'proto'), join(root, 'packages/daemon/proto'), { recursive: true });
console.log(`built lxd-ts and lxd-tsd ${version}`);
