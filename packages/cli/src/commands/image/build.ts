import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { buildDebian } from '../../build/debian.ts';
import { nameImage, uploadImage } from './upload.ts';

export default command({
  usage: '[<remote>:]',
  arity: [0, 1],
  description: `Builds a Debian image on this machine with mmdebstrap, from the package sources of its own apt, and imports it.
Must run as root. The image boots systemd with network over DHCP on eth0.`,
  examples: [
    ['image build --alias debian', 'Build an image like this machine, call it "debian"'],
    ['image build --include curl,vim --alias tools', 'With more packages'],
  ],
  flags: {
    alias: { kind: 'list', value: 'name', help: 'Name for the image' },
    include: { kind: 'list', value: 'packages', help: 'More packages, separated by commas' },
    public: { kind: 'boolean', help: 'Let everybody who reaches the server have the image' },
    release: { kind: 'string', value: 'name', help: 'Debian release (default: that of this machine)' },
    variant: { kind: 'string', value: 'name', help: "mmdebstrap's variant (default minbase)" },
  },
  async run(shell, args, flags) {
    const context = await shell.onlyRemote(args);
    const include = flags.include.flatMap((list) => list.split(',')).filter(Boolean);
    const aliases = flags.alias;
    context.say('Building the image (this takes about half a minute)');
    await using built = await buildDebian(context, {
      release: flags.release,
      variant: flags.variant ?? 'minbase',
      include,
    });
    const fingerprint = await uploadImage(
      context,
      { meta: built.tarball },
      { public: flags.public, properties: {} },
    );
    await nameImage(context, fingerprint, aliases);
    return notice(`Image imported with fingerprint: ${fingerprint}`);
  },
});
