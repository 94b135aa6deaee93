/**
 * Means and spreads over a run's records, from which every table is made.
 *
 * The unit is the subject: a seed's score is the mean over subjects of each subject's mean over its samples; a score of
 * a whole subject, or of the whole run, enters as it is. The spread is the sample standard deviation (n − 1) over
 * seeds. ∞ and "no value" are left out of a mean and told; where every value that there is is ∞, the mean is ∞.
 * Only finished jobs enter; diverged and failed ones are listed. Whatever order jobs ended in, the sums are the same.
 */

import { deviationOf, meanOf } from "./interval.ts";
import { type Cost, decodeValue, type ResultRecord, type ScoreRow } from "./record.ts";
import type { MetricHead, RowHead, Run } from "./run.ts";

/** The convention under which costs are listed; they alone may differ between two identical runs. */
export const costConvention = "cost";

/** What a job costs, in the order of tables. */
export const costMetrics: readonly (MetricHead & { readonly id: keyof Cost })[] = [
  {
    id: "train-seconds",
    convention: costConvention,
    unit: "s",
    better: "lower",
    about: "seconds of training",
  },
  {
    id: "updates-per-second",
    convention: costConvention,
    unit: "1/s",
    better: "higher",
    about: "generator updates a second, with the critic updates that belong to them",
  },
  {
    id: "inference-ms",
    convention: costConvention,
    unit: "ms",
    better: "lower",
    about: "milliseconds a reconstruction of one sample, warm-up excluded",
  },
  {
    id: "peak-memory",
    convention: costConvention,
    unit: "MB",
    better: "lower",
    about: "the most memory that the job's process held",
  },
];

/** How large a method is; the same in every identical run, so no cost in that sense. */
export const sizeMetrics: readonly (MetricHead & { readonly id: "parameters" | "macs" })[] = [
  {
    id: "parameters",
    convention: "count",
    unit: "",
    better: "lower",
    about: "trained parameters that a reconstruction uses",
  },
  {
    id: "macs",
    convention: "count",
    unit: "",
    better: "lower",
    about: "multiply-adds of one reconstruction",
  },
];

/** One metric of one row. */
export interface Cell {
  /** The metric under one convention. */
  readonly metric: MetricHead;
  /** Over seeds; null where there is no value, ∞ where every value is. */
  readonly mean: number | null;
  /** Sample standard deviation over seeds; null for fewer than two. */
  readonly std: number | null;
  /** Seeds that the mean is over; 1 where a method has none. */
  readonly n: number;
  /** The score of each finished job, in the order of its row's records. */
  readonly perSeed: readonly (number | null)[];
  /** How many scores there are, of all seeds, with and without a value. */
  readonly scores: number;
  /** Which of them are not in the mean, and why: one entry a reason. */
  readonly gaps: readonly Gap[];
}

/** Scores that are not in a mean, all for the same reason. */
export interface Gap {
  /** Why there is no value; `"∞"` where there is one that no mean can hold. */
  readonly reason: string;
  /** How many of the units. */
  readonly count: number;
  /** How many units there are. */
  readonly of: number;
  /** Samples or subjects where every seed lacks the same ones; else scores, those of all seeds. */
  readonly unit: "sample" | "subject" | "score";
}

/** One row of the table. */
export interface SummaryRow {
  /** What `run.json` says of it. */
  readonly head: RowHead;
  /** Its records, seeds ascending. */
  readonly records: readonly ResultRecord[];
  /** How many jobs the run has for it. */
  readonly planned: number;
  /** How many of them ended with a result that entered the means. */
  readonly done: number;
  /** In the order of {@linkcode Summary.metrics}. */
  readonly cells: readonly Cell[];
  /** In the order of {@linkcode sizeMetrics}. */
  readonly sizes: readonly Cell[];
  /** In the order of {@linkcode costMetrics}. */
  readonly costs: readonly Cell[];
}

/** A run, summed up. */
export interface Summary {
  /** Those of `run.json`, in its order; sizes and costs are not among them. */
  readonly metrics: readonly MetricHead[];
  /** In the order of `run.json`. */
  readonly rows: readonly SummaryRow[];
}

/** Sums up a run: its rows and metrics in the order of `run.json`. */
export function summarise({ file, records }: Run): Summary {
  const rows = file.rows.map((head): SummaryRow => {
    const own = records.filter(({ method }) => method === head.name);
    own.sort((a, b) => (a.seed ?? -Infinity) - (b.seed ?? -Infinity));
    const done = own.filter(({ state }) => state.kind === "done");
    const built = own.filter(({ state }) => state.kind !== "failed");
    return {
      head,
      records: own,
      planned: Math.max(own.length, head.trains ? file.seeds.length : 1),
      done: done.length,
      cells: file.metrics.map((metric) =>
        cellOf(metric, done.map(({ scores }) => scores.filter((score) => isOf(score, metric))))
      ),
      // A method that diverged has a size all the same.
      sizes: sizeMetrics.map((metric) => cellOf(metric, built.map((record) => single(record[metric.id])))),
      costs: costMetrics.map((metric) => cellOf(metric, done.map(({ cost }) => single(cost[metric.id])))),
    };
  });
  return { metrics: file.metrics, rows };
}

/**
 * Metrics of which no row has a value though every job has ended, so that a table for people can do without their
 * columns: those whose scores need a truth that nobody knows, or that no row of this run has.
 */
export function emptyMetrics({ metrics, rows }: Summary): MetricHead[] {
  if (!rows.some(({ done }) => done > 0) || rows.some(({ records, planned }) => records.length < planned)) {
    return [];
  }
  return metrics.filter((_, index) => rows.every(({ cells }) => cells[index].mean === null));
}

/** The summary without the columns of {@linkcode emptyMetrics}. */
export function withoutEmpty(summary: Summary): Summary {
  const empty = emptyMetrics(summary);
  return withOnly(summary, (metric) => !empty.includes(metric));
}

/** The summary parted by how the samples were measured: first the benchmark's own way, then each condition. */
export function byCondition(
  summary: Summary,
): readonly { readonly condition?: string; readonly summary: Summary }[] {
  const conditions = new Set([undefined, ...summary.metrics.map(({ condition }) => condition)]);
  return [...conditions].map((condition) => ({
    ...(condition === undefined ? {} : { condition }),
    summary: withOnly(summary, (metric) => metric.condition === condition),
  }));
}

function withOnly(summary: Summary, kept: (metric: MetricHead) => boolean): Summary {
  return {
    metrics: summary.metrics.filter(kept),
    rows: summary.rows.map((row) => ({ ...row, cells: row.cells.filter(({ metric }) => kept(metric)) })),
  };
}

/** Whether a score is of this metric under its convention. */
export function isOf(score: ScoreRow, metric: MetricHead): boolean {
  return score.metric === metric.id && score.convention === metric.convention;
}

type Scores = readonly Pick<ScoreRow, "subject" | "sample" | "value" | "reason">[];

/** A number of the whole job, as scores; absent or null is no score at all. */
function single(value: number | null | undefined): Scores {
  return value === null || value === undefined ? [] : [{ subject: "", sample: "", value }];
}

/** One cell from the scores of each seed. */
function cellOf(metric: MetricHead, seeds: readonly Scores[]): Cell {
  const perSeed = seeds.map(scoreOfSeed);
  const { mean, values } = meanOfScores(perSeed);
  return {
    metric,
    perSeed,
    mean,
    std: spreadOf(values),
    n: values.length,
    scores: seeds.flat().length,
    gaps: gapsOf(seeds, mean === null || Number.isFinite(mean)),
  };
}

/** What is not in the mean, by reason; a mean that is ∞ itself leaves no ∞ out. */
function gapsOf(seeds: readonly Scores[], withoutInfinite: boolean): Gap[] {
  const reasonOf = ({ value, reason = "no reason given" }: Scores[number]) =>
    // A score of a whole subject names the first sample that it lacks, which would make one reason many.
    value === null
      ? reason.replace(/^sample ".*?": /, "")
      : withoutInfinite && typeof value === "string"
      ? "∞"
      : undefined;
  const all = seeds.flat();
  const reasons = new Set(all.map(reasonOf).filter((reason) => reason !== undefined));
  return [...reasons].map((reason) => {
    const places = seeds.map((scores) =>
      JSON.stringify([
        scores.length,
        scores.filter((score) => reasonOf(score) === reason).map(({ subject, sample }) => [subject, sample]),
      ])
    );
    const of = seeds[0].length;
    const count = all.filter((score) => reasonOf(score) === reason).length;
    const unit = all.some(({ sample }) => sample !== "") ? "sample" : "subject";
    return new Set(places).size === 1 && all.some(({ subject }) => subject !== "")
      ? { reason, count: count / seeds.length, of, unit }
      : { reason, count, of: all.length, unit: "score" };
  });
}

/**
 * The score of one seed: the mean over subjects of each one's mean over its samples. ∞ and missing values are left out,
 * unless there is nothing but ∞.
 */
export function scoreOfSeed(scores: Scores): number | null {
  const subjects = new Map<string, (number | null)[]>();
  for (const { subject, value } of scores) {
    const values = subjects.get(subject) ?? [];
    values.push(decodeValue(value));
    subjects.set(subject, values);
  }
  return meanOfScores([...subjects.values()].map((values) => meanOfScores(values).mean)).mean;
}

/** The mean over what is finite, or ∞ where nothing but one infinity is there; and the values that it is over. */
function meanOfScores(all: readonly (number | null)[]): { mean: number | null; values: readonly number[] } {
  const values = all.filter((value) => value !== null);
  const finite = values.filter(Number.isFinite);
  if (finite.length > 0) return { mean: meanOf(finite), values: finite };
  return new Set(values).size === 1 ? { mean: values[0], values } : { mean: null, values: [] };
}

/** Null where there is none. */
function spreadOf(values: readonly number[]): number | null {
  return values.length < 2 || !values.every(Number.isFinite) ? null : deviationOf(values);
}
