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

/** Commands whose arguments are instances. */
const instanceCommands = [
  'start',
  'stop',
  'restart',
  'pause',
  'delete',
  'info',
  'exec',
  'shell',
  'console',
  'copy',
  'rename',
  'move',
  'config show',
  'config get',
  'config set',
  'config unset',
  'config edit',
  'profile add',
  'profile assign',
  'profile remove',
];

const caseLines = (table: WordTable, line: (key: string, words: readonly string[]) => string): string =>
  [...table].map(([key, words]) => line(key, words)).join('\n');

const bash = (table: WordTable): string => `# bash completion for lxd-ts
_lxd_ts() {
  local current=\${COMP_WORDS[COMP_CWORD]} path= word i
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
  local words=
  case "$path" in
${caseLines(table, (key, words) => `    "${key}") words="${words.join(' ')}" ;;`)}
  esac
  case "$path" in
    ${instanceCommands.map((key) => `"${key}"`).join('|')})
      [[ $current == -* ]] || words="$(lxd-ts list --fast -c n -f csv 2>/dev/null)" ;;
    launch|init)
      [[ $current == -* ]] || words="$(lxd-ts image alias list -f csv 2>/dev/null | cut -d, -f1)" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _lxd_ts lxd-ts
`;

const zsh = (table: WordTable): string => `#compdef lxd-ts
autoload -U +X bashcompinit && bashcompinit
${bash(table)}`;

/** The flag words, without the two dashes, of a path. */
const flagWords = (words: readonly string[]): string[] =>
  words.filter((word) => word.startsWith('--')).map((word) => word.slice(2));

const fish = (table: WordTable): string => `# fish completion for lxd-ts
function __lxd_ts_path
  set -l words (commandline -opc)
  string join ' ' (string match -v -- '-*' $words[2..-1])
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
for path in ${instanceCommands.map((key) => `"${key}"`).join(' ')}
  complete -c lxd-ts -n "string match -q '$path*' (__lxd_ts_path)" -a '(lxd-ts list --fast -c n -f csv 2>/dev/null)'
end
`;

const shells: Readonly<Record<string, (table: WordTable) => string>> = { bash, zsh, fish };

export default command({
  usage: 'bash|zsh|fish',
  arity: [1, 1],
  description:
    'Prints a script that teaches your shell to complete lxd-ts commands, flags and instance names.',
  examples: [
    ['completion bash > /etc/bash_completion.d/lxd-ts', 'For bash, for everybody'],
    ['completion fish > ~/.config/fish/completions/lxd-ts.fish', 'For fish, for you'],
  ],
  async run({ catalogue }, [shell = '']) {
    const script = shells[shell];
    if (!script)
      throw new LxdError('invalid', `Unknown shell "${shell}": use ${Object.keys(shells).join(', ')}`);
    return textOutput(script(await wordTable(catalogue.registry)).trimEnd());
  },
});
