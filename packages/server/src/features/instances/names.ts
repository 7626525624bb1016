import { LxdError } from '@lxd-ts/core';

const wrongName = (name: string): string | undefined => {
  if (name.length < 1 || name.length > 63) return 'Name must be 1-63 characters long';
  if (/^\d/.test(name)) return 'Name must not start with a number';
  if (name.startsWith('-')) return 'Name must not start with "-" character';
  if (name.endsWith('-')) return 'Name must not end with "-" character';
  if (!/^[a-zA-Z0-9-]+$/.test(name)) return 'Name can only contain alphanumeric and hyphen characters';
  return undefined;
};

/** @throws LxdError `invalid` unless it can be a host name */
export function checkInstanceName(name: string): void {
  if (name.includes('/')) throw new LxdError('invalid', 'The character "/" is reserved for snapshots');
  const wrong = wrongName(name);
  if (wrong) throw new LxdError('invalid', `Invalid instance name: ${wrong}`);
}

const adjectives =
  'able amber ample brave brisk calm clear crisp eager early fair fine fond free glad grand happy keen kind light lively lucky merry mild neat noble proud quick quiet rapid ready rosy sharp smart snug solid sunny swift tidy true warm wise witty';
const animals =
  'badger bee bison bream cat cod crab crane crow deer dove duck eel elk ferret finch fox frog goat goose hare hawk heron ibex jay koala lark lion lynx mink mole moth mouse newt otter owl panda perch pike puma quail raven robin seal shrew skunk snail stoat stork swan tapir tern toad trout vole wren yak zebra';

/** `happy-otter`, or with a number once the plain ones are taken. @param random eight hex digits or more */
export function generateName(random: () => string, taken: (name: string) => boolean): string {
  const [first, second] = [adjectives.split(' '), animals.split(' ')];
  for (let attempt = 0; ; attempt++) {
    const number = Number.parseInt(random().slice(0, 8), 16);
    const plain = `${first[number % first.length] ?? ''}-${second[(number >>> 8) % second.length] ?? ''}`;
    const name = attempt < 10 ? plain : `${plain}-${number.toString(36)}`;
    if (!taken(name)) return name;
  }
}
