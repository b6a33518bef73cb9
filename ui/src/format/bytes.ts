// Decides how amounts of bytes and their shares are written.

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `1234` → `1.2 kB`: decimal units, one digit after the point below ten, none above. */
export function bytes(count: number): string {
  let value = Math.max(0, count);
  let unit = 0;
  while (rounded(value, unit) >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${rounded(value, unit)} ${UNITS[unit] ?? ''}`;
}

function rounded(value: number, unit: number): number {
  return unit === 0 || value >= 9.95 ? Math.round(value) : Math.round(value * 10) / 10;
}

/** The share of `part` in `whole` as `0.4 %`, `37 %`; `< 0.01 %` for what would read as nothing; `null` without a whole. */
export function share(part: number, whole: number): string | null {
  if (whole <= 0) return null;
  const percent = (Math.max(0, part) / whole) * 100;
  if (percent > 0 && percent < 0.01) return '< 0.01 %';
  const digits = percent < 0.1 ? 100 : percent < 10 ? 10 : 1;
  return `${Math.round(percent * digits) / digits} %`;
}
