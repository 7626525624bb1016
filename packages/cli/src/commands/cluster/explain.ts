import { command } from '../../base/command.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';

/** What a server says of the choice between its members, as far as it is shown. */
export interface Explanation {
  message: string;
  members: {
    server_name: string;
    chosen: boolean;
    possible: boolean;
    reasons: string[];
    status: string;
    failure_domain: string;
    instances: number;
    labelled_here: number;
    labelled_in_failure_domain: number;
    has_image: boolean;
    fullness: number;
  }[];
}

export const explanationRows = ({ members }: Explanation): string[][] =>
  members.map((one) => [
    one.server_name,
    one.chosen ? 'HERE' : one.possible ? 'POSSIBLE' : 'NO',
    one.failure_domain,
    String(one.instances),
    one.possible ? `${one.fullness.toFixed(0)}%` : '',
    one.has_image ? 'YES' : 'NO',
    one.reasons.join('\n'),
  ]);

export default command({
  usage: '[<remote>:]<instance>',
  arity: [1, 1],
  description: `Says why an instance is where it is, and what speaks for and against every other member. The members are judged
as they are now, the best first.`,
  examples: [['cluster explain c1', 'Why is c1 there?']],
  flags: { format: formatFlag },
  async run(shell, [arg], flags) {
    const format = parseFormat(flags.format);
    const [{ client }, instance] = await shell.require(arg, 'instance');
    const explanation = await client.get<Explanation>('/1.0/cluster/explain', { query: { instance } });
    if (format === 'table' || format === 'compact') shell.say(explanation.message);
    return {
      kind: 'list',
      format,
      header: ['MEMBER', 'PLACED', 'FAILURE DOMAIN', 'INSTANCES', 'FULL', 'HAS IMAGE', 'WHY NOT'],
      rows: explanationRows(explanation),
      records: explanation,
    };
  },
});
