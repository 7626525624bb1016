import { measure } from './measure.ts';

/**
 * A small cluster of simulated members; `scripts/scale` is for large ones. What is timed is printed, never judged: that
 * every instance is placed, once, where the records say, is checked by measuring itself.
 */
test.each([1, 2])('%i servers place at once on 20 members: all are there, none twice', async (servers) => {
  const figures = await measure({ servers, members: 20, instances: 240 }, 1);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  const [fewest, most] = figures.spread;
  // Servers that do not know of each other's last choices may differ by a few.
  expect(most - fewest).toBeLessThanOrEqual(servers === 1 ? 1 : 8);
});
