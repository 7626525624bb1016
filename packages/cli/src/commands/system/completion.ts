import { LxdError } from '@lxd-ts/core';
import { globalFlags } from '../../base/help.ts';
import { textOutput } from '../../base/output.ts';
import { command, type Entry } from '../../base/command.ts';

/** Words that may follow, by the words before: flags of a command, or the commands of a group. */
export type WordTable = ReadonlyMap<string, readonly string[]>;

export async function wordTable(registry: readonly Entry[]): Promise<WordTable> {
  const table = new Map<string, string[]>();
  const add = (before: string, word: string): void => {
    const words = table.get(before) ?? [];
    if (!words.includes(word)) words.push(word);
    table.set(before, words);
  };
  for (const entry of registry) {
    const words = entry.path.split(' ');
    words.forEach((word, i) => {
      add(words.slice(0, i).join(' '), word);
    });
    const { flags = {} } = (await entry.load()).default;
    for (const name of Object.keys({ ...flags, ...globalFlags })) add(entry.path, `--${name}`);
  }
  return table;
}

/** What can be asked for names: the command that lists them, names first in its CSV. */
const lists = {
  instance: 'list --fast -c n',
  profile: 'profile list',
  network: 'network list',
  pool: 'storage list',
  storage: 'storage list',
  image: 'image alias list',
  alias: 'image alias list',
  member: 'cluster list',
  group: 'cluster group list',
} as const;

type Named = keyof typeof lists;

/** What a command's first argument names, as its usage line tells: `[<remote>:]<instance>`, `[<remote>:]`, `<remote>`. */
export function argumentOf(usage: string): { named?: Named; remote: 'prefix' | 'itself' | 'none' } {
  const remote = usage.startsWith('<remote>') ? 'itself' : usage.includes('<remote>:') ? 'prefix' : 'none';
  const noun = /^\[*(?:<remote>:\]?)?\[?<(\w+)/.exec(usage)?.[1] ?? '';
  return noun in lists ? { named: noun as Named, remote } : { remote };
}

type Arguments = ReadonlyMap<string, ReturnType<typeof argumentOf>>;

async function argumentTable(registry: readonly Entry[]): Promise<Arguments> {
  const loaded = await Promise.all(
    registry.map(async (entry) => [entry.path, argumentOf((await entry.load()).default.usage)] as const),
  );
  return new Map(loaded.filter(([, { named, remote }]) => named !== undefined || remote !== 'none'));
}

const remoteNames = "lxd-ts remote list -f csv 2>/dev/null | sed 's/[ ,].*//'";

const caseLines = (table: WordTable, line: (key: string, words: readonly string[]) => string): string =>
  [...table].map(([key, words]) => line(key, words)).join('\n');

/** Paths of commands as the alternatives of a shell's `case`, by what their first argument names. */
function alternatives(rows: Arguments, wanted: (row: ReturnType<typeof argumentOf>) => boolean): string {
  const paths = [...rows].filter(([, row]) => wanted(row)).map(([path]) => `"${path}"`);
  return paths.length > 0 ? paths.join('|') : '""';
}

const bash = (table: WordTable, rows: Arguments): string => `# bash completion for lxd-ts
_lxd_ts_names() {
  lxd-ts $1 "\${@:2}" -f csv 2>/dev/null | cut -d, -f1
}
_lxd_ts() {
  local line=\${COMP_LINE:0:COMP_POINT} path= word i remote= words= name
  local current=\${line##*[[:space:]]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == -* ]] && continue
    case "\${path:+$path }$word" in
      ${[...table.keys()]
        .filter(Boolean)
        .map((key) => `"${key}"`)
        .join('|')}) path="\${path:+$path }$word" ;;
      *) break ;;
    esac
  done
  case "$path" in
${caseLines(table, (key, list) => `    "${key}") words="${list.join(' ')}" ;;`)}
  esac
  if [[ $current != -* ]]; then
    [[ $current == *:* ]] && remote=\${current%%:*}:
    local found=
    case "$path" in
${Object.entries(lists)
  .map(
    ([noun, list]) =>
      `      ${alternatives(rows, ({ named }) => named === noun)}) found="$(_lxd_ts_names "${list}" $remote)" ;;`,
  )
  .join('\n')}
      launch|init) found="$(_lxd_ts_names "image alias list" $remote)" ;;
    esac
    for name in $found; do words+=" $remote$name"; done
    case "$path" in
      ${alternatives(rows, ({ remote }) => remote === 'itself')}) words+=" $(${remoteNames})" ;;
      ${alternatives(rows, ({ remote }) => remote === 'prefix')})
        [[ -n $remote ]] || for name in $(${remoteNames}); do words+=" $name:"; done ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *: ]] && compopt -o nospace 2>/dev/null
  # bash takes what is before a colon for a word of its own.
  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
    for i in "\${!COMPREPLY[@]}"; do COMPREPLY[i]=\${COMPREPLY[i]#"\${current%:*}:"}; done
  fi
}
complete -o default -F _lxd_ts lxd-ts
`;

const zsh = (table: WordTable, rows: Arguments): string => `#compdef lxd-ts
autoload -U +X bashcompinit && bashcompinit
${bash(table, rows)}`;

/** The flag words, without the two dashes, of a path. */
const flagWords = (words: readonly string[]): string[] =>
  words.filter((word) => word.startsWith('--')).map((word) => word.slice(2));

const fish = (table: WordTable, rows: Arguments): string => `# fish completion for lxd-ts
function __lxd_ts_path
  set -l words (commandline -opc)
  string join ' ' (string match -v -- '-*' $words[2..-1])
end
function __lxd_ts_names
  set -l remote (string match -r '^[^:]*:' -- (commandline -ct))
  for name in (lxd-ts (string split ' ' $argv[1]) $remote -f csv 2>/dev/null | cut -d, -f1)
    echo $remote$name
  end
end
complete -c lxd-ts -f
${caseLines(table, (key, words) => {
  const names = words.filter((word) => !word.startsWith('--'));
  const commands =
    names.length === 0
      ? []
      : [`complete -c lxd-ts -n 'test (__lxd_ts_path) = "${key}"' -a '${names.join(' ')}'`];
  const flags = flagWords(words).map(
    (name) => `complete -c lxd-ts -n 'string match -q "${key}*" (__lxd_ts_path)' -l ${name}`,
  );
  return [...commands, ...flags].join('\n');
})}
${[...rows]
  .flatMap(([path, { named, remote }]) => {
    const when = `complete -c lxd-ts -n 'string match -q "${path}*" (__lxd_ts_path)' -a`;
    return [
      ...(named ? [`${when} '(__lxd_ts_names "${lists[named]}")'`] : []),
      ...(remote === 'itself' ? [`${when} "(${remoteNames})"`] : []),
      ...(remote === 'prefix' ? [`${when} "(${remoteNames} | sed 's/$/:/')"`] : []),
    ];
  })
  .join('\n')}
`;

const shells: Readonly<Record<string, (table: WordTable, rows: Arguments) => string>> = { bash, zsh, fish };

export default command({
  usage: 'bash|zsh|fish',
  arity: [1, 1],
  description:
    'Prints a script that teaches your shell to complete lxd-ts commands, flags, remotes and names.',
  examples: [
    ['completion bash > /etc/bash_completion.d/lxd-ts', 'For bash, for everybody'],
    ['completion fish > ~/.config/fish/completions/lxd-ts.fish', 'For fish, for you'],
  ],
  async run({ catalogue }, [shell = '']) {
    const script = shells[shell];
    if (!script)
      throw new LxdError('invalid', `Unknown shell "${shell}": use ${Object.keys(shells).join(', ')}`);
    return textOutput(
      script(await wordTable(catalogue.registry), await argumentTable(catalogue.registry)).trimEnd(),
    );
  },
});
