/**
 * What the quality gate finds, over scores that were really measured: baseline and candidate are disjoint sets of a row's
 * seeds, so that nothing differs but chance, and a loss is put on the candidate's scores.
 */

import { stream } from "../../core/random.ts";
import type { Checked, CheckedJob } from "../../results/baseline.ts";
import { deviationOf } from "../../results/interval.ts";
import { judgeChecks, type Outcome, reachOf } from "../../results/regression.ts";
import { scoreOfSeed } from "../../results/summary.ts";

/** How many seeds are on each side. */
export interface Sides {
  readonly before: number;
  readonly after: number;
}

/** The rows of a check that have seeds: they are one family. */
export function seededRows({ rows }: Checked): string[] {
  return rows.filter(({ jobs }) => jobs.some(({ seed }) => seed !== null)).map(({ name }) => name);
}

/** Of fewer seeds there are too few halves: six have twenty, so that one unlucky half is a rate of 5 in 100. */
export const leastSeeds = 12;

/** How often, of `trials`, a check gives each outcome for a row that lost so much. */
export function outcomes(
  check: Checked,
  row: string,
  sides: Sides,
  loss: number,
  trials: number,
): Readonly<Record<Outcome, number>> {
  const rng = stream(`simulation/check/${check.benchmark}/${sides.before}/${sides.after}`);
  const rows = check.rows.filter(({ name }) => seededRows(check).includes(name));
  const seeds = rows[0].jobs.map(({ seed }) => seed);
  const sign = check.metric.better === "lower" ? 1 : -1;
  const counts = { identical: 0, pass: 0, regression: 0, inconclusive: 0 };
  for (let trial = 0; trial < trials; trial++) {
    const order = rng.shuffled(seeds);
    const of = (
      chosen: readonly (number | null)[],
      change: (job: CheckedJob, row: string) => CheckedJob,
    ) => ({
      ...check,
      rows: rows.map(({ jobs, ...rest }) => ({
        ...rest,
        jobs: jobs.filter(({ seed }) => chosen.includes(seed)).map((job) => change(job, rest.name)),
      })),
    });
    const before = of(order.slice(0, sides.before), (job) => job);
    const after = of(
      order.slice(sides.before, sides.before + sides.after),
      (job, name) => name === row ? shifted(job, sign * loss) : job,
    );
    counts[judgeChecks([[before, after]]).find((finding) => finding.row === row)!.outcome] += 1;
  }
  return {
    identical: counts.identical / trials,
    pass: counts.pass / trials,
    regression: counts.regression / trials,
    inconclusive: counts.inconclusive / trials,
  };
}

/** The least loss, to a hundredth or a thirtieth of the margin, that is called a regression in `power` of the trials. */
export function foundLoss(check: Checked, row: string, sides: Sides, trials: number, power = 0.95): number {
  const step = Math.min(0.01, check.rows.find(({ name }) => name === row)!.margin / 30);
  let [low, high] = [0, 1000];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (outcomes(check, row, sides, middle * step, trials).regression >= power) high = middle;
    else low = middle;
  }
  return high * step;
}

/** How far apart a row's seeds lie in the baseline, and the loss that so many new ones find by the check's own formula. */
export function reachOfRow(check: Checked, row: string, after: number): { spread: number; reach: number } {
  const { jobs } = check.rows.find(({ name }) => name === row)!;
  const means = jobs.map(({ scores }) =>
    scoreOfSeed(check.samples.map(([subject, sample], at) => ({ subject, sample, value: scores[at] })))!
  );
  const spread = deviationOf(means);
  const seeds = { before: jobs.length, after };
  return { spread, reach: reachOf(spread, seeds, seededRows(check).length) };
}

function shifted(job: CheckedJob, by: number): CheckedJob {
  return { ...job, scores: job.scores.map((score) => typeof score === "number" ? score + by : score) };
}
