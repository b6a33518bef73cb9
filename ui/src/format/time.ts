// Decides how moments and spans are written: relative for the eye, exact for the tooltip.

type Step = readonly [limit: number, unit: Intl.RelativeTimeFormatUnit, seconds: number];

const STEPS: readonly Step[] = [
  [60, 'second', 1],
  [3600, 'minute', 60],
  [86_400, 'hour', 3600],
  [30 * 86_400, 'day', 86_400],
  [365 * 86_400, 'month', 30 * 86_400],
];
const LAST_STEP: Step = [Infinity, 'year', 365 * 86_400];

/** How long before `now` (milliseconds) the ISO moment was; a moment ahead of our clock, or just passed, is "now". */
export function ago(moment: string, now: number, language: string): string {
  const passed = (now - Date.parse(moment)) / 1000;
  const format = new Intl.RelativeTimeFormat(language, { style: 'short', numeric: 'auto' });
  if (!(passed >= 5)) return format.format(0, 'second');
  const [, unit, seconds] = STEPS.find(([limit]) => passed < limit) ?? LAST_STEP;
  return format.format(-Math.floor(passed / seconds), unit);
}

/** How long after `now` (milliseconds) the ISO moment is: "in 7 min."; one that is here, or has passed, is "now". */
export function ahead(moment: string, now: number, language: string): string {
  const left = (Date.parse(moment) - now) / 1000;
  const format = new Intl.RelativeTimeFormat(language, { style: 'short', numeric: 'auto' });
  if (!(left >= 1)) return format.format(0, 'second');
  const [, unit, seconds] = STEPS.find(([limit]) => left < limit) ?? LAST_STEP;
  return format.format(Math.max(1, Math.round(left / seconds)), unit);
}

/** The exact moment in the reader's own zone, to the second, with the zone's name. */
export function exact(moment: string, language: string): string {
  const format = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'long' });
  return format.format(new Date(moment));
}

/** The time of day to the millisecond, as log lines carry it. */
export function clock(moment: string): string {
  const at = new Date(moment);
  const two = (value: number) => String(value).padStart(2, '0');
  const millis = String(at.getMilliseconds()).padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${millis}`;
}

const STAMPED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (.*)$/s;

/** A log line that begins with an ISO moment, as that moment and the rest; others have no moment. */
export function stampedLine(line: string): { readonly at: string | null; readonly text: string } {
  const match = STAMPED.exec(line);
  return match === null ? { at: null, text: line } : { at: match[1] ?? null, text: match[2] ?? '' };
}

/** A span in seconds: `0.3 s`, `12 s`, `2 min 5 s`, `1 h 10 min`. */
export function span(seconds: number): string {
  const whole = Math.max(0, seconds);
  if (whole > 0 && whole < 0.05) return '< 0.1 s';
  if (whole < 9.95) return `${Math.round(whole * 10) / 10} s`;
  const rounded = Math.round(whole);
  if (rounded < 60) return `${rounded} s`;
  if (rounded < 3600) return joined(Math.floor(rounded / 60), 'min', rounded % 60, 's');
  const minutes = Math.round(rounded / 60);
  return joined(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
