/** Holm's correction (Scandinavian Journal of Statistics 6, 1979) for several questions asked of the same data. */

/**
 * The p values as adjusted for their family: rejecting where one is at most α keeps the chance of even one false rejection
 * in the family at α, whatever the questions have in common. In the order given.
 */
export function holm(family: readonly number[]): number[] {
  const ascending = family.map((_, index) => index).sort((a, b) => family[a] - family[b]);
  const adjusted = Array<number>(family.length);
  let least = 0;
  for (const [rank, index] of ascending.entries()) {
    least = Math.max(least, Math.min(1, (family.length - rank) * family[index]));
    adjusted[index] = least;
  }
  return adjusted;
}
