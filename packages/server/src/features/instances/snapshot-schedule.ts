const named: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@annually': '0 0 1 1 *',
  '@yearly': '0 0 1 1 *',
};

/** Whether a field of a schedule (`*`, `5`, `1-4`, `0-59/10`, lists of these) means this number. */
function means(field: string, value: number, lowest: number): boolean {
  return field.split(',').some((part) => {
    const [range = '', step = ''] = part.split('/');
    const [first = '', last] = range.split('-');
    const from = range === '*' ? lowest : Number(first);
    const to = range === '*' ? Infinity : last === undefined ? (step ? Infinity : from) : Number(last);
    return value >= from && value <= to && (value - from) % (Number(step) || 1) === 0;
  });
}

/** As cron: where day of the month and day of the week are both narrowed, either is enough. Local time. */
function matches(expression: string, time: Date): boolean {
  const [minute = '*', hour = '*', day = '*', month = '*', weekday = '*'] = expression.trim().split(/\s+/);
  if (!means(minute, time.getMinutes(), 0) || !means(hour, time.getHours(), 0)) return false;
  if (!means(month, time.getMonth() + 1, 1)) return false;
  const onDay = means(day, time.getDate(), 1);
  const onWeekday = means(weekday, time.getDay(), 0) || (time.getDay() === 0 && means(weekday, 7, 0));
  if (day !== '*' && weekday !== '*') return onDay || onWeekday;
  return onDay && onWeekday;
}

/** Whether `snapshots.schedule` (five fields of cron, or names such as `@daily`, one after another) means this minute. */
export function isDue(schedule: string | undefined, time: Date): boolean {
  if (!schedule) return false;
  if (!schedule.startsWith('@')) return matches(schedule, time);
  return schedule.split(/\s*,\s*/).some((name) => {
    const expression = named[name.trim()];
    return expression !== undefined && matches(expression, time);
  });
}
