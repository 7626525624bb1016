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
