/**
 * The paired sign-flip permutation test over subjects.
 *
 * Where two rows are alike, the sign of each subject's difference is a matter of chance; so the mean difference is
 * compared with what it would be under every other choice of signs (Fisher 1935, §21; Good, Permutation Tests, 2005). The
 * test needs no normal distribution, only differences that are symmetric about zero where nothing differs. With n
 * subjects there are 2ⁿ choices, so no two-sided p is below 2^(1−n), however large the difference.
 */

import { stream } from "../core/random.ts";

/** Up to so many subjects every choice of signs is enumerated; with more, some are drawn. */
export const enumerated = 16;

const draws = 19_999;

/** What the test gives. */
export interface SignFlip {
  /** Two-sided. */
  readonly p: number;
  /** Of a mean as great or greater. */
  readonly greater: number;
  /** Of a mean as small or smaller. */
  readonly less: number;
}

/** The least p that so many subjects can reach, two-sided. */
export function smallestP(subjects: number): number {
  return subjects > enumerated ? 1 / (draws + 1) : Math.min(1, 2 ** (1 - subjects));
}

/** The test of `differences`, one a subject, against a mean of zero. */
export function signFlip(differences: readonly number[]): SignFlip {
  const found = differences.reduce((sum, difference) => sum + difference, 0);
  // Sums that are equal but for the order of their terms count as equal.
  const slack = 1e-12 * differences.reduce((sum, difference) => sum + Math.abs(difference), 0);
  const count = { p: 0, greater: 0, less: 0 };
  const visit = (sum: number) => {
    if (Math.abs(sum) >= Math.abs(found) - slack) count.p += 1;
    if (sum >= found - slack) count.greater += 1;
    if (sum <= found + slack) count.less += 1;
  };
  let all: number;
  if (differences.length <= enumerated) {
    all = 2 ** differences.length;
    everySum(differences, visit);
  } else {
    // The signs as they were found are one of the choices (Phipson and Smyth 2010).
    all = draws + 1;
    visit(found);
    drawnSums(differences, visit);
  }
  return { p: count.p / all, greater: count.greater / all, less: count.less / all };
}

function everySum(terms: readonly number[], visit: (sum: number) => void): void {
  const descend = (at: number, sum: number) => {
    if (at === terms.length) return visit(sum);
    descend(at + 1, sum + terms[at]);
    descend(at + 1, sum - terms[at]);
  };
  descend(0, 0);
}

function drawnSums(terms: readonly number[], visit: (sum: number) => void): void {
  const signs = drawnSigns(terms.length);
  const words = Math.ceil(terms.length / 32);
  for (let draw = 0; draw < draws; draw++) {
    let sum = 0;
    for (let at = 0; at < terms.length; at++) {
      const bit = (signs[draw * words + (at >> 5)] >>> (at & 31)) & 1;
      sum += bit === 1 ? terms[at] : -terms[at];
    }
    visit(sum);
  }
}

// The same draws for all that have n subjects; making them takes longer than the sums.
const drawnBefore = new Map<number, Uint32Array>();

/** Random signs of n terms, draw by draw: 32 to a word. */
function drawnSigns(n: number): Uint32Array {
  let signs = drawnBefore.get(n);
  if (signs === undefined) {
    const rng = stream(`results/sign-flip/${n}`);
    signs = Uint32Array.from({ length: draws * Math.ceil(n / 32) }, () => rng.integer(2 ** 32));
    drawnBefore.set(n, signs);
  }
  return signs;
}
