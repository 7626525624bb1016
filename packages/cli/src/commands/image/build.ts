import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { interruptible } from '../../base/interruptible.ts';
import { parseKeyValues } from '../../base/key-values.ts';
import { notice } from '../../base/output.ts';
import { nameImage, uploadImage } from './upload.ts';

export default command({
  usage: '[<file>.yaml] [<remote>:]',
  arity: [0, 2],
  description: `Builds an image, as a document in YAML says, in a container of the server; see the example below.
Files come from the directory of the document. Each step is kept as an image of its own, which goes when it was not used
for long: what changes in one has it and those after it done again, and no others. The same input gives the same
image, as far as the commands do: times end at "epoch" (or $SOURCE_DATE_EPOCH, or when the base was made), and what belongs
to one machine is left out: logs, /tmp, /run, caches of packages, ids, seeds, SSH host keys. The image's init is not started:
commands run with nothing beside them. \${vars.NAME} stands for a variable, in the document and in templates of files.

Without a file: a Debian image, from the package sources of this machine's own apt. It boots systemd with network over DHCP
on eth0. Both this and "from: {debian: ...}" need root here and mmdebstrap; all else happens on the server.

  image: {name: web, description: Web server, public: false, expiry: 2030-12-31, properties: {os: Debian}}
  vars: {release: bookworm}                  # --var release=trixie
  from: {debian: "\${vars.release}", variant: minbase, packages: [curl]}
                                             # or debian, images:alpine/edge: an image; mirrors, components, keyring
  packages: [nginx-light]                    # by the image's own apt-get, apk, dnf, ...
  files:
    - {path: /srv/www, source: www, owner: "www-data"}
    - {path: /etc/motd, content: "Built of \${vars.release}\\n", mode: "0644"}
    - {path: /etc/nginx/site.conf, template: site.conf.in}
    - {path: /etc/localtime, target: /usr/share/zoneinfo/UTC}
  run:
    - rm /etc/nginx/sites-enabled/default
    - {command: [adduser, --system, app], env: {A: b}, user: root, cwd: /, network: false}
  steps: [{packages: [...]}, {run: ...}]     # instead of these three, in any order
  templates:                                 # filled in when an instance is made
    - {path: /etc/hostname, when: [create, copy, rename], content: "{{ container.name }}"}
  cloud-init: true                           # seed of cloud-init by the instance's configuration; false: none
  exclude: [/usr/share/doc/*]                # left out, too
  env: {http_proxy: "http://proxy:3128"}     # of all commands
  builder: {memory: 2GiB, cpu: 2, processes: 4096, disk: 20GiB, network: lxdbr0, pool: default}`,
  examples: [
    ['image build --alias debian', 'Build an image like this machine, call it "debian"'],
    ['image build --include curl,vim --alias tools', 'With more packages'],
    ['image build web.yaml', 'As web.yaml says'],
    [
      'image build web.yaml far: --var release=trixie --alias web/trixie',
      'On another server, of another release',
    ],
    ['image build web.yaml --dry-run', 'Show the steps, and which are there already'],
    ['image build web.yaml --no-cache --output web.tar.zst', 'All anew, into a file'],
  ],
  flags: {
    alias: { kind: 'list', value: 'name', help: 'Name for the image' },
    'dry-run': { kind: 'boolean', help: 'With a file: show what would be done' },
    include: { kind: 'list', value: 'packages', help: 'More packages, separated by commas (without a file)' },
    'no-cache': { kind: 'boolean', help: 'With a file: do all steps again' },
    output: {
      kind: 'string',
      value: 'file',
      help: 'With a file: write the image there instead of keeping it',
    },
    public: { kind: 'boolean', help: 'Let everybody who reaches the server have the image' },
    release: {
      kind: 'string',
      value: 'name',
      help: 'Debian release (without a file; default: of this machine)',
    },
    var: { kind: 'list', value: 'name=value', help: 'With a file: value of a variable' },
    variant: {
      kind: 'string',
      value: 'name',
      help: "mmdebstrap's variant (without a file; default minbase)",
    },
  },
  async run(shell, args, flags) {
    const [file, ...rest] = args[0] === undefined || args[0].endsWith(':') ? [undefined, ...args] : args;
    const context = await shell.onlyRemote(rest.filter((word) => word !== undefined));
    const misplaced =
      file === undefined
        ? [
            flags['dry-run'] && 'dry-run',
            flags['no-cache'] && 'no-cache',
            flags.output && 'output',
            flags.var[0] && 'var',
          ]
        : [flags.include[0] && 'include', flags.release && 'release', flags.variant && 'variant'];
    const [flag] = ['dry-run', 'no-cache', 'output', 'var', 'include', 'release', 'variant'].filter((name) =>
      misplaced.includes(name),
    );
    if (flag !== undefined)
      throw new LxdError(
        'invalid',
        file === undefined
          ? `--${flag} needs a document`
          : `--${flag} cannot be used with a document, which says that itself`,
      );
    if (file !== undefined) {
      const { buildImage } = await import('../../image-build/build-image.ts');
      return buildImage(context, {
        file,
        aliases: flags.alias,
        public: flags.public,
        useCache: !flags['no-cache'],
        output: flags.output,
        vars: parseKeyValues(flags.var),
        dryRun: flags['dry-run'],
      });
    }
    const { buildDebian } = await import('../../image-build/debian.ts');
    const include = flags.include.flatMap((list) => list.split(',')).filter(Boolean);
    context.say('Building the image (this takes about half a minute)');
    const fingerprint = await interruptible(context.io, 'Interrupted; nothing is left', async (signal) => {
      const options = { release: flags.release, variant: flags.variant ?? 'minbase', include };
      await using built = await buildDebian(context, options, signal);
      const kept = { public: flags.public, properties: {}, signal };
      return await uploadImage(context, { meta: built.tarball }, kept);
    });
    await nameImage(context, fingerprint, flags.alias);
    return notice(`Image imported with fingerprint: ${fingerprint}`);
  },
});
