/**
 * Two rows compared, subject by subject and seed by seed.
 *
 * Only what both rows have is compared: samples with a finite score in both and in every common seed, averaged within
 * their subject. A row without seeds meets each seed of the other. What is left out is counted.
 */

import { deviationOf, type Interval, intervalsOf, meanOf } from "./interval.ts";
import { decodeValue } from "./record.ts";
import type { MetricHead } from "./run.ts";
import { signFlip, smallestP } from "./sign_flip.ts";
import { isOf, type SummaryRow } from "./summary.ts";

/** What a p must not exceed; intervals are at 1 − this. */
export const significance = 0.05;

/** A row's scores under one metric, of its finished jobs. */
export interface RowScores {
  /** Of the finished jobs, ascending; a null alone where the row has no seeds. */
  readonly seeds: readonly (number | null)[];
  /** By subject and sample: a value a seed, null where there is none. */
  readonly values: ReadonlyMap<string, ReadonlyMap<string, readonly (number | null)[]>>;
}

/** How a row differs from another: the first less the second, in the metric's unit. */
export interface Comparison {
  /** By subject, then by seed. */
  readonly differences: readonly (readonly number[])[];
  /** The common seeds; none where neither row has any. */
  readonly seeds: readonly number[];
  /** How many subjects of either row lack a common finite score. */
  readonly leftOut: number;
  /** Mean over subjects and seeds. */
  readonly estimate: number;
  /** For new subjects and new seeds, at 95 %; undefined for one subject. */
  readonly interval?: Interval;
  /** At 98 %, by which {@linkcode isSure} goes: three seeds do not show how skewed they are. */
  readonly strict?: Interval;
  /** Mean over subjects, by seed; one value where neither row has seeds. */
  readonly perSeed: readonly number[];
  /** Mean over seeds, by subject. */
  readonly perSubject: readonly number[];
  /** Paired d: the mean in standard deviations over subjects; null for one subject, or where all differ alike. */
  readonly effect: number | null;
  /** Two-sided, of the sign-flip test over subjects. */
  readonly p: number;
  /** The least p that so many subjects can reach. */
  readonly smallestP: number;
}

/** Whether a difference is as good as none. */
export interface Equivalence {
  /** How much is as good as none, in the metric's unit. */
  readonly margin: number;
  /** The greater p of two one-sided sign-flip tests over subjects, against −margin and margin (TOST; Schuirmann 1987). */
  readonly p: number;
  /** Whether each seed's difference and the strict interval lie within ±margin. */
  readonly within: boolean;
}

/** The scores of a row's finished jobs; those of a whole run, which have no subject, are not among them. */
export function scoresOf({ records }: SummaryRow, metric: MetricHead): RowScores {
  const done = records.filter(({ state }) => state.kind === "done");
  const values = new Map<string, Map<string, (number | null)[]>>();
  for (const [index, record] of done.entries()) {
    for (const score of record.scores) {
      if (!isOf(score, metric) || score.subject === "") continue;
      const samples = values.get(score.subject) ?? new Map<string, (number | null)[]>();
      const line = samples.get(score.sample) ?? Array<number | null>(done.length).fill(null);
      line[index] = decodeValue(score.value);
      values.set(score.subject, samples.set(score.sample, line));
    }
  }
  return { seeds: done.map(({ seed }) => seed), values };
}

/** Scores by subject, then by seed, of the subjects that have a finite one in every seed. */
export function scoreTable({ values }: RowScores): number[][] {
  return ascending(values.keys()).flatMap((subject) => meanLine([...values.get(subject)!.values()]));
}

/** Compares two rows; undefined where they have no seed, or no subject with a finite score, in common. */
export function compare(a: RowScores, b: RowScores): Comparison | undefined {
  const meetings = meetingsOf(a.seeds, b.seeds);
  if (meetings.length === 0) return undefined;
  const either = ascending(new Set([...a.values.keys(), ...b.values.keys()]));
  const differences = either.flatMap((subject) => {
    const others = b.values.get(subject);
    const lines = [...a.values.get(subject) ?? []].flatMap(([sample, own]) => {
      const other = others?.get(sample);
      return other === undefined ? [] : [meetings.map(({ at }) => difference(own[at[0]], other[at[1]]))];
    });
    return meanLine(lines);
  });
  const seeds = meetings.flatMap(({ seed }) => seed ?? []);
  return differences.length === 0
    ? undefined
    : comparisonOf(differences, seeds, either.length - differences.length);
}

/** The comparison with every difference less by `offset`: whether the first row is better by more than that. */
export function beyond({ differences, seeds, leftOut }: Comparison, offset: number): Comparison {
  return comparisonOf(differences.map((line) => line.map((value) => value - offset)), seeds, leftOut);
}

/** Whether the difference is as good as none. */
export function equivalence({ perSubject, perSeed, strict }: Comparison, margin: number): Equivalence {
  const [above, below] = [-margin, margin].map((edge) => signFlip(perSubject.map((value) => value - edge)));
  return {
    margin,
    p: Math.max(above.greater, below.less),
    within: perSeed.every((value) => Math.abs(value) <= margin) && strict !== undefined &&
      strict.low >= -margin && strict.high <= margin,
  };
}

/**
 * Whether a difference is sure, given its p as adjusted for what else was asked: significant over subjects, of the
 * same sign in every seed, and so large that neither other subjects nor other seeds make it zero. One seed of a row that
 * trains says nothing of others, so at least two are asked for.
 */
export function isSure(comparison: Comparison, adjusted: number): boolean {
  const { strict, seeds } = comparison;
  return adjusted <= significance && seeds.length !== 1 && sameSign(comparison) && strict !== undefined &&
    strict.low * strict.high > 0;
}

/** Whether every seed's difference has the sign of the mean. */
export function sameSign({ perSeed, estimate }: Comparison): boolean {
  return estimate !== 0 && perSeed.every((value) => Math.sign(value) === Math.sign(estimate));
}

/** The comparison of two rows that differ so, by subject and then by seed. */
export function comparisonOf(
  differences: readonly (readonly number[])[],
  seeds: readonly number[],
  leftOut: number,
): Comparison {
  const perSubject = differences.map(meanOf);
  const estimate = meanOf(perSubject);
  const deviation = deviationOf(perSubject);
  const [interval, strict] = intervalsOf(differences, [1 - significance, 0.98]);
  return {
    differences,
    seeds,
    leftOut,
    estimate,
    interval,
    strict,
    perSeed: differences[0].map((_, seed) => meanOf(differences.map((line) => line[seed]))),
    perSubject,
    effect: deviation > 0 ? estimate / deviation : null,
    p: signFlip(perSubject).p,
    smallestP: smallestP(perSubject.length),
  };
}

/** Which job of one row meets which of the other: those of one seed; a row without seeds meets all. */
function meetingsOf(a: RowScores["seeds"], b: RowScores["seeds"]) {
  if (a.length === 0 || b.length === 0) return [];
  if (a[0] === null) return b.map((seed, j) => ({ seed, at: [0, j] as const }));
  if (b[0] === null) return a.map((seed, i) => ({ seed, at: [i, 0] as const }));
  const places = new Map(b.map((seed, j) => [seed, j]));
  return a.flatMap((seed, i) => places.has(seed) ? [{ seed, at: [i, places.get(seed)!] as const }] : []);
}

function difference(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b;
}

/** Means by column over the lines that are finite throughout, as one line; none where there is no such line. */
function meanLine(lines: readonly (readonly (number | null)[])[]): number[][] {
  const whole = lines.filter((line): line is number[] => line.every(Number.isFinite));
  return whole.length === 0 ? [] : [whole[0].map((_, at) => meanOf(whole.map((line) => line[at])))];
}

function ascending(names: Iterable<string>): string[] {
  return [...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
