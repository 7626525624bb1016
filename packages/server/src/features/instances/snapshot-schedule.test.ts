import { isDue } from './snapshot-schedule.ts';

test.each([
  ['* * * * *', true],
  ['30 4 * * *', true],
  ['31 4 * * *', false],
  ['*/15 * * * *', true],
  ['*/20 * * * *', false],
  ['5-59/5 3-5 * * *', true],
  ['0,30 4 4 3 *', true],
  ['30 4 5 3 *', false],
  ['30 4 5 * 3', true],
  ['30 4 5 * 4', false],
  ['@hourly', false],
  ['@hourly, @daily', false],
  ['', false],
  [undefined, false],
])('%p means a Wednesday, 4 March, half past four: %p', (schedule, due) => {
  expect(isDue(schedule, new Date(2026, 2, 4, 4, 30))).toBe(due);
});

test.each([
  ['@hourly', true],
  ['@daily', true],
  ['@weekly, @monthly', true],
  ['0 0 * * 7', true],
  ['@yearly', false],
])('%p means midnight of a Sunday, the first of the month: %p', (schedule, due) => {
  expect(isDue(schedule, new Date(2026, 1, 1))).toBe(due);
});
