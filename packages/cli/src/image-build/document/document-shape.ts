import {
  fields,
  flag,
  lineOrWords,
  listOf,
  mapOf,
  oneOf,
  oneOrMore,
  optional,
  shorthand,
  text,
  whole,
  type Shape,
} from './shape.ts';

/** Of an image: no `..`, no empty parts. */
const absolutePath = text(
  'an absolute path without ".." such as /etc/motd',
  /^(?!.*\/\.\.?(\/|$))(\/[^/\0\n]+)+\/?$/,
);

/** Of the build directory. */
const inside = text(
  'a path in the directory of this document, neither absolute nor with ".."',
  /^(?!\/)(?!(.*\/)?\.\.(\/|$))[^\0\n]+$/,
);

const keyring = text(
  'a file in the directory of this document, or an absolute path',
  /^(?!(.*\/)?\.\.(\/|$))[^\0\n]+$/,
);
const alias = text('a name for the image', /^[^\s:]+$/);
const word = text('one word', /^[A-Za-z0-9][\w.+~-]*$/);
const owner = text(
  'a user, or user:group, by name or number (with quotes: "33:33")',
  /^[A-Za-z0-9_][\w.-]*(:[A-Za-z0-9_][\w.-]*)?$/,
);
const packageName = text('the name of a package', /^[A-Za-z0-9][\w.+:=~/@-]*$/);
const environment = mapOf(/^[A-Za-z_]\w*$/, text('a text', /^[^\0]*$/));
const properties = mapOf(/^[\w.-]+$/, text('a text', /^[^\0]*$/));

const image = fields({
  name: optional(alias),
  aliases: optional(listOf(alias)),
  description: optional(text()),
  properties: optional(properties),
  expiry: optional(
    text(
      'a date such as 2030-12-31, or with a time 2030-12-31T12:00:00Z',
      /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?$/,
    ),
  ),
  public: optional(flag),
  architecture: optional(word),
  compression: optional(oneOf('zstd', 'gzip', 'xz', 'bzip2', 'lz4', 'lzma', 'none')),
});

const from = shorthand(
  'image',
  fields({
    image: optional(text('an image: [remote:]alias or fingerprint', /^[^\s]+$/)),
    debian: optional(word),
    ubuntu: optional(word),
    variant: optional(oneOf('minbase', 'buildd', 'apt', 'essential', 'required', 'important', 'standard')),
    mirrors: optional(
      listOf(
        text(
          'a URL, perhaps with a suite: "https://host/debian bookworm-updates"',
          /^https?:\/\/[^\s[\]]+( [\w./-]+)?$/,
        ),
      ),
    ),
    components: optional(listOf(word)),
    keyring: optional(keyring),
    packages: optional(listOf(packageName)),
  }),
  'an image (alias or fingerprint), or a map with debian, ubuntu or image',
);

const file = fields({
  path: absolutePath,
  source: optional(inside),
  template: optional(inside),
  content: optional(text('a text', /^[^]*$/)),
  target: optional(text('what the link refers to', /^[^\0\n]+$/)),
  directory: optional(flag),
  mode: optional(text('three or four octal digits such as 0644', /^[0-7]{3,4}$/)),
  owner: optional(owner),
});

const run = shorthand(
  'command',
  fields({
    command: lineOrWords,
    env: optional(environment),
    user: optional(owner),
    cwd: optional(text('an absolute path', /^\/[^\0\n]*$/)),
    network: optional(flag),
  }),
  'a line for the shell, or a map with command',
);

const template = fields({
  path: absolutePath,
  when: optional(listOf(oneOf('create', 'copy', 'rename', 'start'))),
  content: optional(text()),
  source: optional(inside),
  'create-only': optional(flag),
  properties: optional(properties),
});

const size: Shape<string> = text('a size such as 2GiB', /^\d+(\.\d+)?([KMGT]i?B)?$/);

/** What a document looks like. What cannot be said field by field is checked by `toDocument`. */
export const documentShape = fields(
  {
    image: optional(image),
    from,
    packages: optional(listOf(packageName)),
    files: optional(listOf(file)),
    run: optional(oneOrMore(run)),
    steps: optional(
      listOf(
        fields({
          packages: optional(listOf(packageName)),
          files: optional(listOf(file)),
          run: optional(oneOrMore(run)),
        }),
      ),
    ),
    templates: optional(listOf(template)),
    'cloud-init': optional(flag),
    epoch: optional(whole('seconds since 1970 such as 1700000000')),
    exclude: optional(listOf(text('an absolute path; * stands for anything but a slash', /^\/[^\0\n]+$/))),
    env: optional(environment),
    builder: optional(
      fields({
        network: optional(word),
        pool: optional(word),
        disk: optional(size),
        memory: optional(size),
        cpu: optional(text('a number of CPUs', /^[1-9]\d*$/)),
        processes: optional(text('a number of processes', /^[1-9]\d*$/)),
      }),
    ),
  },
  'a map, with "from" and what is done to it',
);
