/** Heat: the share of the whole on a logarithmic scale, in eight steps. */

/** 0: below a ten-thousandth; 8: a third and more. */
export function heat(part: number, whole: number): number {
  if (!(part > 0) || !(whole > 0)) return 0;
  const share = part / whole;
  const step = Math.floor(2 * (Math.log10(share) + 4)) + 1;
  return Math.max(0, Math.min(8, step));
}

/** Length of a bar in percent, on the same scale. */
export function barLength(part: number, whole: number): number {
  if (!(part > 0) || !(whole > 0)) return 0;
  return Math.max(0, Math.min(100, 100 * (1 + Math.log10(part / whole) / 4)));
}
