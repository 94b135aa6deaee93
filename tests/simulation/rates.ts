/** How often statistics err, counted over many made-up tables of scores. */

import jstat from "jstat";
import { stream } from "../../core/random.ts";
import {
  type Comparison,
  comparisonOf,
  equivalence,
  isSure,
  significance,
} from "../../results/comparison.ts";
import { deviationOf, type Interval, intervalOf, meanOf } from "../../results/interval.ts";
import { differences, type Kind, type Sources } from "./errors.ts";

/** One setting that is simulated. */
export interface Setting {
  readonly kind: Kind;
  readonly sources: Sources;
  readonly subjects: number;
  readonly seeds: number;
}

/** A way to an interval. */
export type Way = (values: readonly (readonly number[])[]) => Pick<Interval, "low" | "high">;

/** The suite's, the one at 98 % by which it calls a difference sure, and the ones that are usually taken. */
export const ways = {
  ours: (values) => intervalOf(values)!,
  "ours at 98 %": (values) => intervalOf(values, 0.98)!,
  "t over seeds": (values) => student(values[0].map((_, seed) => meanOf(values.map((line) => line[seed])))),
  "percentile bootstrap": (values) => percentile(values.map(meanOf)),
} as const satisfies Record<string, Way>;

/** How often, of `trials`, intervals hold the true mean. */
export function coverage(way: Way, setting: Setting, trials: number): number {
  return rate(setting, trials, (values) => {
    const { low, high } = way(values);
    return low <= 0 && 0 <= high;
  });
}

/** How often a difference that is not there is called sure; and how often the test over subjects alone finds one. */
export function falseAlarms(setting: Setting, trials: number): { sure: number; subjectsAlone: number } {
  const found: Comparison[] = [];
  rate(setting, trials, (values) => found.push(comparisonOf(values, seedsOf(setting), 0)) > 0);
  const part = (is: (comparison: Comparison) => boolean) => found.filter(is).length / trials;
  return {
    sure: part((comparison) => isSure(comparison, comparison.p)),
    subjectsAlone: part(({ p }) => p <= significance),
  };
}

/** How often rows that differ by the margin itself are called equivalent. */
export function falseEquivalence(setting: Setting, trials: number, margin: number): number {
  return rate(setting, trials, (values) => {
    const shifted = values.map((line) => line.map((value) => value + margin));
    const { p, within } = equivalence(comparisonOf(shifted, seedsOf(setting), 0), margin);
    return p <= significance && within;
  });
}

function rate(
  { kind, sources, subjects, seeds }: Setting,
  trials: number,
  is: (values: number[][]) => boolean,
): number {
  const rng = stream(`simulation/${kind}/${JSON.stringify(sources)}/${subjects}/${seeds}`);
  let count = 0;
  for (let trial = 0; trial < trials; trial++) {
    if (is(differences(rng, kind, sources, subjects, seeds))) count += 1;
  }
  return count / trials;
}

function seedsOf({ seeds }: Setting): number[] {
  return Array.from({ length: seeds }, (_, index) => index + 1);
}

function student(values: readonly number[]): { low: number; high: number } {
  const far = jstat.studentt.inv(0.975, values.length - 1) * deviationOf(values) / Math.sqrt(values.length);
  return { low: meanOf(values) - far, high: meanOf(values) + far };
}

function percentile(values: readonly number[]): { low: number; high: number } {
  const rng = stream("simulation/percentile");
  const means = Array.from(
    { length: 399 },
    () => meanOf(values.map(() => values[rng.integer(values.length)])),
  );
  means.sort((a, b) => a - b);
  return { low: means[9], high: means[389] };
}
