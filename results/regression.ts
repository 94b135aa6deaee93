/**
 * Whether quality regressed: what a program scores now, held against a baseline.
 *
 * The test samples are the same on both sides, so that only training is a matter of chance. A seed's score is the mean
 * over subjects; the change is the mean over the seeds of now less that over the baseline's. Its error comes from how
 * far seeds lie apart on both sides, pooled (Student's two-sample t): a change of a program, however small, trains other
 * networks from the same seed (docs/check.md tells how alike they are), so that each seed counts as a new one. Where no
 * network changed nothing is left to chance, and the change is exact.
 *
 * A loss is a *regression* where it is significant, with Holm's correction over all that one check asks. It is a *pass*
 * where a loss as large as the margin is excluded, one-sided at 95 %. Else the seeds do not suffice: *inconclusive*.
 */

import jstat from "jstat";
import type { Checked, CheckedJob, CheckedRow } from "./baseline.ts";
import { significance } from "./comparison.ts";
import { holm } from "./holm.ts";
import { deviationOf, meanOf } from "./interval.ts";
import { decodeValue } from "./record.ts";
import { scoreOfSeed } from "./summary.ts";

/** What is said of a row. `identical` is a pass for which nothing had to be judged. */
export type Outcome = "identical" | "pass" | "regression" | "inconclusive";

/** What a check says of one row. */
export interface Finding {
  readonly check: Checked;
  readonly row: string;
  readonly outcome: Outcome;
  /** Why, where the numbers do not say it. */
  readonly reason: string;
  /** What was compared; absent where nothing could be. */
  readonly change?: Change;
}

/** How a row's score changed. Positive is better, whichever way the metric goes. */
export interface Change {
  /** The baseline's mean, as the metric has it. */
  readonly before: number;
  /** The mean now. */
  readonly after: number;
  readonly better: number;
  /** Without change the estimate would be as low as this in one of twenty checks, or the change as large as that. */
  readonly interval: { readonly low: number; readonly high: number };
  /** One-sided, that it is a loss; after Holm. */
  readonly p: number;
  readonly seeds: { readonly before: number; readonly after: number };
  /** Standard deviation over seeds, pooled; 0 where nothing was left to chance. */
  readonly spread: number;
  /** The loss that a check with these seeds finds in 95 of 100; undefined where the spread is unknown. */
  readonly reach?: number;
  /** Where it is inconclusive, how many seeds would decide if the change stays what it is. */
  readonly needed?: { readonly before: number; readonly after: number };
  /** Samples that are left out because a score is ∞ or missing on either side. */
  readonly leftOut: number;
}

/** How often a loss as large as the reach is to be found. */
export const power = 0.95;

// Where nothing is left to chance, what is below this share of the margin is rounding.
const rounding = 0.01;

// More seeds than this nobody runs.
const mostSeeds = 99;

/** Judges what is checked now against the baseline, rows of all benchmarks as one family. */
export function judgeChecks(pairs: readonly (readonly [before: Checked, after: Checked])[]): Finding[] {
  const asked = pairs.flatMap(([before, after]) =>
    after.rows.map((row) => ask(before, after, row, before.rows.find(({ name }) => name === row.name)))
  );
  const uncertain = asked.filter((one): one is Question => "spread" in one);
  const adjusted = holm(uncertain.map(({ p }) => p));
  return asked.map((one) =>
    "outcome" in one ? one : decided(one, adjusted[uncertain.indexOf(one)], uncertain.length)
  );
}

/** Whether every job of now gave the same weights and scores as the baseline's of the same seed. */
export function isIdentical(before: Checked, after: Checked): boolean {
  return after.rows.every((row) => {
    const old = before.rows.find(({ name }) => name === row.name);
    return old !== undefined && row.jobs.length > 0 && row.jobs.every((job) => {
      const its = old.jobs.find(({ seed }) => seed === job.seed);
      return its !== undefined && job.state.kind === "done" && its.state.kind === "done" &&
        job.weights === its.weights && sameScores(before, its, after, job);
    });
  });
}

/** A change that training has a part in, before it is judged. */
interface Question {
  readonly check: Checked;
  readonly row: string;
  readonly margin: number;
  readonly before: number;
  readonly after: number;
  readonly better: number;
  readonly spread: number;
  readonly seeds: Change["seeds"];
  readonly leftOut: number;
  /** One-sided, before Holm. */
  readonly p: number;
}

function ask(before: Checked, after: Checked, now: CheckedRow, old?: CheckedRow): Question | Finding {
  const check = after;
  const row = now.name;
  const say = (outcome: Outcome, reason: string): Finding => ({ check, row, outcome, reason });
  if (old === undefined) return say("inconclusive", "the baseline has no such row; --update adds it");
  const broken = whyBroken(now, old);
  if (broken !== undefined) return say("regression", broken);
  if (isIdentical(before, { ...after, rows: [now] })) return say("identical", "");

  const jobs = { before: old.jobs.filter(isDone), after: now.jobs.filter(isDone) };
  if (jobs.before.length === 0 || jobs.after.length === 0) {
    return say("inconclusive", "every seed of the baseline diverged");
  }
  const aligned = align(before, jobs.before, after, jobs.after);
  if (aligned.lost.length > 0) {
    const [[subject, sample]] = aligned.lost;
    return say(
      "regression",
      `${aligned.lost.length} of ${before.samples.length} samples have no score any more, e.g. ${subject} ${sample}`,
    );
  }
  const { means, leftOut } = aligned;
  if (means.before.some(Number.isNaN) || means.after.some(Number.isNaN)) {
    return say("inconclusive", "no sample has a finite score on both sides");
  }
  const sign = after.metric.better === "lower" ? -1 : 1;
  // Where weights did not change, seed by seed, or there are none to train, all of the change is of the program.
  const isExact = jobs.after.every(({ seed, weights }) =>
    seed === null || jobs.before.some((its) => its.seed === seed && its.weights === weights)
  );
  if (isExact) {
    const common = new Set(jobs.after.map(({ seed }) => seed));
    const own = meanOf(means.before.filter((_, at) => common.has(jobs.before[at].seed)));
    return exact(after, now, own, meanOf(means.after), sign, jobs.after.length, leftOut);
  }
  const counts = { before: means.before.length, after: means.after.length };
  const [b, a] = [meanOf(means.before), meanOf(means.after)];
  const freedom = counts.before + counts.after - 2;
  const squares = [means.before, means.after].reduce(
    (sum, values) => sum + (values.length < 2 ? 0 : (values.length - 1) * deviationOf(values) ** 2),
    0,
  );
  const spread = freedom > 0 ? Math.sqrt(squares / freedom) : NaN;
  const better = sign * (a - b);
  const error = errorOf(spread, counts);
  const p = freedom === 0
    ? 1
    : error === 0
    ? (better < 0 ? 0 : 1)
    : jstat.studentt.cdf(better / error, freedom);
  return { check, row, margin: now.margin, before: b, after: a, better, spread, seeds: counts, leftOut, p };
}

/** What cannot be a matter of scores: a job that failed or, unlike the baseline's, diverged. */
function whyBroken(now: CheckedRow, old: CheckedRow): string | undefined {
  for (const { seed, state } of now.jobs) {
    const name = seed === null ? "it" : `seed ${seed}`;
    if (state.kind === "failed") return `${name} failed: ${state.reason.split("\n")[0]}`;
    const its = old.jobs.find((job) => job.seed === seed)?.state.kind;
    if (state.kind === "diverged" && its !== "diverged") {
      return `${name} diverged at update ${state.update}: ${state.reason}`;
    }
  }
  return now.jobs.length === 0 ? "it left no record" : undefined;
}

function exact(
  check: Checked,
  { name: row, margin }: CheckedRow,
  before: number,
  after: number,
  sign: number,
  seeds: number,
  leftOut: number,
): Finding {
  const better = sign * (after - before);
  const outcome = better < -rounding * margin ? "regression" : "pass";
  return {
    check,
    row,
    outcome,
    reason: "nothing was trained differently, so nothing is left to chance",
    change: {
      before,
      after,
      better,
      interval: { low: better, high: better },
      p: outcome === "regression" ? 0 : 1,
      seeds: { before: seeds, after: seeds },
      spread: 0,
      reach: rounding * margin,
      leftOut,
    },
  };
}

function decided(question: Question, adjusted: number, family: number): Finding {
  const { check, row, margin, before, after, better, spread, seeds, leftOut } = question;
  if (Number.isNaN(spread)) {
    return {
      check,
      row,
      outcome: "inconclusive",
      reason: "one seed on each side says nothing of how far seeds lie apart: run more",
    };
  }
  const far = halfWidth(spread, seeds, significance);
  const outcome = adjusted <= significance ? "regression" : better - far > -margin ? "pass" : "inconclusive";
  const needed = outcome === "inconclusive"
    ? seedsToDecide(spread, seeds, -better, margin, family)
    : undefined;
  return {
    check,
    row,
    outcome,
    reason: outcome === "inconclusive"
      ? `the seeds neither show a loss nor exclude one of ${margin}${
        check.metric.unit && ` ${check.metric.unit}`
      }`
      : "",
    change: {
      before,
      after,
      better,
      interval: { low: better - far, high: better + far },
      p: adjusted,
      seeds,
      spread,
      reach: reachOf(spread, seeds, family),
      needed,
      leftOut,
    },
  };
}

/** The loss that is found in 95 of 100 checks which ask `family` questions. */
export function reachOf(spread: number, seeds: Change["seeds"], family: number): number {
  return halfWidth(spread, seeds, significance / family) + halfWidth(spread, seeds, 1 - power);
}

function errorOf(spread: number, { before, after }: Change["seeds"]): number {
  return spread * Math.sqrt(1 / before + 1 / after);
}

function halfWidth(spread: number, seeds: Change["seeds"], alpha: number): number {
  const freedom = seeds.before + seeds.after - 2;
  return errorOf(spread, seeds) * jstat.studentt.inv(1 - alpha, freedom);
}

/** The fewest seeds that would call this loss a regression, or exclude the margin; more of the baseline's where it has too few. */
function seedsToDecide(
  spread: number,
  { before, after: own }: Change["seeds"],
  loss: number,
  margin: number,
  family: number,
): Change["needed"] {
  const decides = (seeds: Change["seeds"]) =>
    loss >= halfWidth(spread, seeds, significance / family) ||
    margin - loss >= halfWidth(spread, seeds, significance);
  for (let after = own + 1; after <= before; after++) {
    if (decides({ before, after })) return { before, after };
  }
  for (let count = own + 1; count <= mostSeeds; count++) {
    const both = { before: Math.max(before, count), after: count };
    if (decides(both)) return both;
  }
  return undefined;
}

function isDone({ state }: CheckedJob): boolean {
  return state.kind === "done";
}

/** Where a sample stands in a check's lists. */
function placesOf({ samples }: Checked): Map<string, number> {
  return new Map(samples.map((names, at) => [JSON.stringify(names), at]));
}

function sameScores(before: Checked, its: CheckedJob, after: Checked, job: CheckedJob): boolean {
  const places = placesOf(before);
  return before.samples.length === after.samples.length &&
    after.samples.every((names, at) => {
      const place = places.get(JSON.stringify(names));
      return place !== undefined && its.scores[place] === job.scores[at];
    });
}

/** Each seed's score over the samples that are finite in every job of both sides. */
function align(
  before: Checked,
  old: readonly CheckedJob[],
  after: Checked,
  now: readonly CheckedJob[],
): {
  means: { before: number[]; after: number[] };
  leftOut: number;
  lost: (readonly [subject: string, sample: string])[];
} {
  const places = placesOf(after);
  const lost: (readonly [string, string])[] = [];
  const kept: { subject: string; sample: string; old: number; now: number }[] = [];
  for (const [at, names] of before.samples.entries()) {
    const values = old.map(({ scores }) => scores[at]);
    const place = places.get(JSON.stringify(names));
    const others = place === undefined ? now.map(() => null) : now.map(({ scores }) => scores[place]);
    if (!values.includes(null) && others.includes(null)) lost.push(names);
    const [subject, sample] = names;
    const all = [...values, ...others].map(decodeValue);
    if (place !== undefined && all.every(Number.isFinite)) {
      kept.push({ subject, sample, old: at, now: place });
    }
  }
  const meanOfJob = (job: CheckedJob, side: "old" | "now") =>
    scoreOfSeed(
      kept.map(({ subject, sample, ...place }) => ({ subject, sample, value: job.scores[place[side]] })),
    ) ?? NaN;
  return {
    means: {
      before: old.map((job) => meanOfJob(job, "old")),
      after: now.map((job) => meanOfJob(job, "now")),
    },
    leftOut: before.samples.length - kept.length,
    lost,
  };
}
