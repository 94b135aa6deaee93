/**
 * Confidence intervals for a mean over subjects and seeds.
 *
 * A score varies with the subject and with the seed, and a claim is about new ones of both. The subjects' part is a
 * bootstrap that draws whole subjects, studentised, so that skewed scores are met (bootstrap-t; Efron and Tibshirani,
 * An Introduction to the Bootstrap, 1993, §12.5). The seeds' part is the same over seeds, of the variance that is
 * theirs alone: what seeds differ by, less what the subjects' own scatter explains (two-way analysis of variance).
 * The two are put together by their squares (MOVER; Zou and Donner, Statistics in Medicine 27, 2008). Fewer than six
 * values are too few to draw from and more than two thousand need it not: Student's t takes the bootstrap's place
 * there. `docs/statistics.md` shows how often such intervals hold the truth, and where they do not.
 */

import jstat from "jstat";
import { stream } from "../core/random.ts";

/** Where the mean is, at a level of confidence. */
export interface Interval {
  /** E.g. 0.95. */
  readonly level: number;
  /** Lower end. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}

/** How far an interval goes from a mean. */
interface Reach {
  readonly below: number;
  readonly above: number;
}

/** Fewer values are too few to draw from. */
const leastToResample = 6;
/** The mean of more is as good as normal, whatever they are. */
const mostToResample = 2000;
const resamples = 1999;

/**
 * The interval for the mean of `values[subject][seed]`, all finite. One column counts the subjects only.
 * Undefined for fewer than two subjects, of which nobody can say how they vary.
 */
export function intervalOf(values: readonly (readonly number[])[], level = 0.95): Interval | undefined {
  return intervalsOf(values, [level])[0];
}

/** {@linkcode intervalOf} at several levels, from the same draws; none for fewer than two subjects. */
export function intervalsOf(values: readonly (readonly number[])[], levels: readonly number[]): Interval[] {
  if (values.length < 2) return [];
  const subjects = values.map(meanOf);
  const mean = meanOf(subjects);
  const ofSubjects = reach(subjects);
  const seeds = values[0].map((_, seed) => meanOf(values.map((line) => line[seed])));
  const share = seeds.length < 2 ? 0 : ownShare(values, subjects, seeds, mean);
  const ofSeeds = share === 0 ? () => ({ below: 0, above: 0 }) : reach(seeds);
  return levels.map((level) => {
    const [subject, seed] = [ofSubjects(level), ofSeeds(level)];
    return {
      level,
      low: mean - Math.hypot(subject.below, share * seed.below),
      high: mean + Math.hypot(subject.above, share * seed.above),
    };
  });
}

/** The mean of numbers. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The sample standard deviation (n − 1). */
export function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** The part of the seeds' standard deviation that is not the scatter of single scores, 0 to 1. */
function ownShare(
  values: readonly (readonly number[])[],
  subjects: readonly number[],
  seeds: readonly number[],
  mean: number,
): number {
  const between = subjects.length * deviationOf(seeds) ** 2;
  if (between === 0) return 0;
  let squares = 0;
  for (const [s, line] of values.entries()) {
    for (const [k, value] of line.entries()) squares += (value - subjects[s] - seeds[k] + mean) ** 2;
  }
  const scatter = squares / ((subjects.length - 1) * (seeds.length - 1));
  return Math.sqrt(Math.max(0, 1 - scatter / between));
}

/** How far the interval for a mean goes at each level. */
function reach(values: readonly number[]): (level: number) => Reach {
  const error = deviationOf(values) / Math.sqrt(values.length);
  if (error === 0) return () => ({ below: 0, above: 0 });
  if (values.length < leastToResample || values.length > mostToResample) {
    return (level) => {
      const far = error * jstat.studentt.inv((1 + level) / 2, values.length - 1);
      return { below: far, above: far };
    };
  }
  const studentised = studentisedMeans(values);
  return (level) => ({
    below: error * quantile(studentised, (1 + level) / 2),
    above: -error * quantile(studentised, (1 - level) / 2),
  });
}

/** (mean* − mean) / standard error* of resamples, ascending; one whose values are all the same has none and is left out. */
function studentisedMeans(values: readonly number[]): Float64Array {
  const n = values.length;
  const mean = meanOf(values);
  const found = new Float64Array(resamples);
  let count = 0;
  const drawn = drawnIndices(n);
  for (let at = 0; at < drawn.length; at += n) {
    let sum = 0;
    let squares = 0;
    for (let i = at; i < at + n; i++) {
      const value = values[drawn[i]] - mean;
      sum += value;
      squares += value * value;
    }
    const variance = (squares - sum * sum / n) / (n - 1);
    if (variance > 1e-24 * squares) found[count++] = sum / n / Math.sqrt(variance / n);
  }
  return found.subarray(0, count).sort();
}

// The same draws for all that have n values, so that exchanging two rows mirrors their interval.
const drawnBefore = new Map<number, Uint32Array>();

function drawnIndices(n: number): Uint32Array {
  let drawn = drawnBefore.get(n);
  if (drawn === undefined) {
    const rng = stream(`results/bootstrap/${n}`);
    drawn = Uint32Array.from({ length: n * resamples }, () => rng.integer(n));
    drawnBefore.set(n, drawn);
  }
  return drawn;
}

/** The quantile of ascending values, linear between those next to it. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  const place = part * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}
