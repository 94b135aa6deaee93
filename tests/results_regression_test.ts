/** The quality gate's judgement: the laws of its three states, and the values of scipy and statsmodels. */

import assert from "node:assert/strict";
import { stream } from "../core/random.ts";
import type { Checked, CheckedJob } from "../results/baseline.ts";
import { deviationOf, meanOf } from "../results/interval.ts";
import { type Finding, judgeChecks, type Outcome, reachOf } from "../results/regression.ts";

const golden = JSON.parse(
  await Deno.readTextFile(new URL("golden/results_regression.json", import.meta.url)),
);

/** A check of one row `a` whose seeds score so, the same in each of two samples of two subjects. */
function checkedWith(seeds: readonly number[], more: Partial<Checked> & { weights?: string } = {}): Checked {
  const { weights = "", ...rest } = more;
  const jobs = seeds.map((score, at): CheckedJob => ({
    seed: at + 1,
    state: { kind: "done" },
    weights: `${weights}${score}`,
    scores: [score - 1, score + 1, score - 2, score + 2],
  }));
  return {
    benchmark: "made",
    metric: { id: "psnr", convention: "made", unit: "dB", better: "higher", about: "" },
    identity: {},
    provenance: {},
    samples: [["s1", "0"], ["s1", "1"], ["s2", "0"], ["s2", "1"]],
    rows: [{ name: "a", margin: 0.3, settings: {}, jobs }],
    ...rest,
  };
}

function withJobs(check: Checked, change: (job: CheckedJob) => CheckedJob): Checked {
  return { ...check, rows: check.rows.map((row) => ({ ...row, jobs: row.jobs.map(change) })) };
}

function judged(before: Checked, after: Checked): Finding {
  const [finding] = judgeChecks([[before, after]]);
  return finding;
}

const near = (found: number, expected: number, slack = 1e-7) =>
  assert.ok(Math.abs(found - expected) < slack, `${found}, not ${expected}`);

const twelve = [29.31, 29.42, 29.18, 29.25, 29.36, 29.29, 29.44, 29.2, 29.33, 29.27, 29.39, 29.22];

Deno.test("judgeChecks() gives the p and the interval of scipy's two-sample t test", () => {
  for (const { before, after, p, low, high } of golden.losses) {
    const { change } = judged(checkedWith(before), checkedWith(after));
    near(change!.p, p, 1e-6);
    near(change!.interval.low, low);
    near(change!.interval.high, high);
    near(change!.better, meanOf(after) - meanOf(before));
  }
});

Deno.test("reachOf() is within 4 % of the loss that statsmodels says is found in 95 of 100", () => {
  for (const { before, after, family, reach } of golden.reaches) {
    const found = reachOf(1, { before, after }, family);
    assert.ok(Math.abs(found / reach - 1) < 0.04, `${before} and ${after} seeds: ${found}, not ${reach}`);
  }
});

Deno.test("a loss that seeds show is a regression, whichever way the metric goes, and a gain is a pass", () => {
  const before = checkedWith(twelve);
  const lower = twelve.slice(0, 6).map((score) => score - 0.3);
  const higher = twelve.slice(0, 6).map((score) => score + 0.3);
  const outcomeOf = (seeds: number[], more: Partial<Checked> = {}) =>
    judged({ ...before, ...more }, checkedWith(seeds, more)).outcome;
  const metric = { ...before.metric, better: "lower" as const };
  assert.deepEqual(
    [outcomeOf(lower), outcomeOf(higher), outcomeOf(lower, { metric }), outcomeOf(higher, { metric })],
    ["regression", "pass", "pass", "regression"],
  );
});

Deno.test("a pass excludes a loss of the margin; where seeds do not, it is inconclusive, and as many seeds as it asks for decide", () => {
  const before = checkedWith(twelve);
  const few = checkedWith([29.15], { weights: "other" });
  const { outcome, change } = judged(before, few);
  assert.equal(outcome, "inconclusive");
  assert.ok(change!.interval.low <= -0.3 && change!.needed!.after > 1);
  assert.equal(change!.needed!.before, 12);
  // Seeds of the baseline's own spread about the same mean.
  const enough = Array.from(
    { length: change!.needed!.after },
    (_, at) => 29.15 + deviationOf(twelve) * (at % 2 === 0 ? 0.9 : -0.9),
  );
  assert.notEqual(judged(before, checkedWith(enough, { weights: "other" })).outcome, "inconclusive");
});

Deno.test("one seed on each side decides nothing, unless its network is the same", () => {
  const before = checkedWith([29.3]);
  assert.equal(judged(before, checkedWith([28.3])).outcome, "inconclusive");
  assert.match(judged(before, checkedWith([28.3])).reason, /one seed on each side/);
  assert.equal(judged(before, before).outcome, "identical");
});

Deno.test("where weights did not change, a change of scores is the program's: exact, and told from rounding", () => {
  const before = checkedWith(twelve.slice(0, 2));
  const moved = (by: number) =>
    judged(
      before,
      withJobs(before, (job) => ({ ...job, scores: job.scores.map((score) => score as number + by) })),
    );
  const outcomes = ([-0.1, -0.004, -0.002, 0.1] as const).map((by) => moved(by).outcome);
  assert.deepEqual(outcomes, ["regression", "regression", "pass", "pass"] satisfies Outcome[]);
  near(moved(-0.1).change!.better, -0.1);
  const seedless = withJobs(checkedWith([22.78]), (job) => ({ ...job, seed: null, weights: null }));
  const worse = withJobs(
    seedless,
    (job) => ({ ...job, scores: job.scores.map((score) => score as number - 1) }),
  );
  assert.equal(judged(seedless, worse).outcome, "regression");
});

Deno.test("a sample that lost its score is a regression; one that is ∞ on either side is left out and counted", () => {
  const before = checkedWith(twelve);
  const after = checkedWith(twelve.slice(0, 6), { weights: "other" });
  const lost = withJobs(
    after,
    (job) => ({ ...job, scores: job.scores.map((score, at) => at === 2 ? null : score) }),
  );
  const { outcome, reason } = judged(before, lost);
  assert.deepEqual([outcome, /1 of 4 samples have no score any more, e\.g\. s2 0/.test(reason)], [
    "regression",
    true,
  ]);
  const endless = withJobs(
    after,
    (job) => ({ ...job, scores: job.scores.map((score, at) => at === 3 ? "Inf" : score) }),
  );
  const { change } = judged(before, endless);
  assert.equal(change!.leftOut, 1);
  assert.equal(change!.before.toFixed(9), (meanOf(twelve) - 1).toFixed(9));
});

Deno.test("samples are told by their names: another order of them changes nothing", () => {
  const before = checkedWith(twelve);
  const after = checkedWith(twelve);
  const turned = {
    ...withJobs(after, (job) => ({ ...job, scores: job.scores.toReversed() })),
    samples: after.samples.toReversed(),
  };
  assert.equal(judged(before, turned).outcome, "identical");
});

Deno.test("several questions are one family: a loss that one check finds alone may not be sure among ten", () => {
  const before = checkedWith(twelve);
  const slight = checkedWith(twelve.slice(0, 6).map((score) => score - 0.1), { weights: "other" });
  const same = checkedWith(twelve.slice(0, 6), { weights: "other" });
  assert.equal(judged(before, slight).outcome, "regression");
  const [first] = judgeChecks([[before, slight], ...Array(9).fill([before, same])]);
  assert.equal(first.outcome, "pass");
});

Deno.test("of checks that changed nothing at most 5 in 100 alarm, and a loss of the reach is found in 95 of 100", () => {
  const rng = stream("tests/regression");
  const draw = (count: number, mean: number) =>
    Array.from({ length: count }, () => mean + 0.1 * rng.normal());
  const trials = 1000;
  const rate = (loss: number) => {
    let found = 0;
    for (let trial = 0; trial < trials; trial++) {
      const { outcome } = judged(checkedWith(draw(12, 29)), checkedWith(draw(6, 29 - loss)));
      if (outcome === "regression") found += 1;
    }
    return found / trials;
  };
  // Three standard errors of such a rate are 0.021.
  const [alarms, power] = [rate(0), rate(reachOf(0.1, { before: 12, after: 6 }, 1))];
  assert.ok(alarms < 0.071, `${alarms}`);
  assert.ok(power > 0.929 && power < 0.971, `${power}`);
});
