/** Scores made again from reconstructions that were kept, without the method, the data or a backend. */

import type { Benchmark, Kept } from "../benchmarks/benchmark.ts";
import type { ResultRecord, ScoreRow } from "../results/record.ts";
import { keyOf, relative } from "../results/sameness.ts";
import { rowOf } from "./evaluate.ts";

/** What came of scoring a record's kept reconstructions again. */
export interface Rescored {
  /** Scores that were made again. */
  readonly count: number;
  /** Those of them that are no longer to the bit what the record says, in words. */
  readonly faults: readonly string[];
}

/** The metrics whose scores a kept image decides: the others need the operator, or the image before it was viewed. */
export function rescorable({ metrics }: Pick<Benchmark, "metrics">): Benchmark["metrics"] {
  return metrics.filter(({ needs = [] }) => needs.length === 0);
}

/** Scores one subject's kept samples, and holds the scores to the record's. */
export function rescore(
  benchmark: Benchmark,
  { scores }: ResultRecord,
  subject: string,
  samples: readonly Omit<Kept, "channels">[],
): Rescored {
  const recorded = new Map(scores.map((row) => [keyOf(row), row]));
  const made = rescorable(benchmark).flatMap((metric) =>
    metric.score(samples).map((score) => rowOf(metric, subject, score))
  );
  return { count: made.length, faults: made.flatMap((row) => differs(row, recorded.get(keyOf(row)))) };
}

function differs(made: ScoreRow, recorded: ScoreRow | undefined): string[] {
  if (made.value === recorded?.value) return [];
  const { metric, convention, subject, sample, value } = made;
  const what = `${metric} (${convention}) of ${[subject, sample].filter((part) => part !== "").join(" ")}`;
  if (recorded === undefined) return [`${what} is ${value}, and not in the record`];
  const size = relative(value, recorded.value);
  const apart = Number.isFinite(size) ? `, ${size.toExponential(1)} of it apart` : "";
  return [`${what} is ${value}, the record says ${recorded.value}${apart}`];
}
