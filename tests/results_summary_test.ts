import assert from "node:assert/strict";
import { emptyMetrics, summarise, withoutEmpty } from "../results/summary.ts";
import { record, row, run, score } from "./reports_made_run.ts";

const trained = row("network", true);

Deno.test("summarise() takes the subject as the unit: samples are averaged within subjects first", () => {
  // Subject s6 has the samples 10 and 20, s7 has 40: (15 + 40) / 2, not (10 + 20 + 40) / 3.
  const scores = [score(2, "s6", "a", 10), score(2, "s6", "b", 20), score(2, "s7", "a", 40)];
  const [cell] = cellsOf(run([row("input", false)], [record("input", null, scores)]), 2);
  assert.deepEqual([cell.mean, cell.std, cell.n], [27.5, null, 1]);
});

Deno.test("summarise() takes whole-subject and whole-run scores as they are", () => {
  const scores = [score(0, "s6", "", 20), score(0, "s7", "", 30), score(4, "", "", 0.25)];
  const made = run([row("input", false)], [record("input", null, scores)]);
  assert.equal(cellsOf(made, 0)[0].mean, 25);
  assert.equal(cellsOf(made, 4)[0].mean, 0.25);
});

Deno.test("summarise() gives the sample standard deviation over seeds", () => {
  // Seeds 1, 2, 3 score 2, 4, 9: mean 5, squares 9 + 1 + 16 = 26, 26 / 2 = 13.
  const records = [2, 4, 9].map((value, i) => record("network", i + 1, [score(0, "s6", "", value)]));
  const [cell] = cellsOf(run([trained], records), 0);
  assert.deepEqual([cell.mean, cell.n], [5, 3]);
  assert.ok(Math.abs(cell.std! - Math.sqrt(13)) < 1e-15);
});

Deno.test("summarise() keeps two conventions of one metric apart", () => {
  const scores = [score(0, "s6", "", 20), score(2, "s6", "a", 30)];
  const made = run([row("input", false)], [record("input", null, scores)]);
  assert.equal(cellsOf(made, 0)[0].mean, 20);
  assert.equal(cellsOf(made, 2)[0].mean, 30);
});

Deno.test("summarise() leaves ∞ and missing values out of a mean, and tells how many", () => {
  const scores = [
    score(2, "s6", "a", 10),
    score(2, "s6", "b", "Inf"),
    score(2, "s7", "a", 30),
    score(2, "s7", "b", null),
  ];
  const [cell] = cellsOf(run([row("input", false)], [record("input", null, scores)]), 2);
  assert.deepEqual([cell.mean, cell.scores], [20, 4]);
  assert.deepEqual(cell.gaps, [
    { reason: "∞", count: 1, of: 4, unit: "sample" },
    { reason: "the image is constant", count: 1, of: 4, unit: "sample" },
  ]);
});

Deno.test("summarise() says ∞ where every value is ∞, and nothing where none is there", () => {
  const perfect = [score(0, "s6", "", "Inf"), score(0, "s7", "", "Inf"), score(2, "s6", "a", null)];
  const made = run([row("truth", false)], [record("truth", null, perfect)]);
  const [all] = cellsOf(made, 0);
  assert.deepEqual([all.mean, all.std, all.n, all.gaps], [Infinity, null, 1, []]);
  const [none] = cellsOf(made, 2);
  assert.deepEqual([none.mean, none.n, none.gaps.length], [null, 0, 1]);
});

Deno.test("summarise() counts subjects that every seed lacks once, and what only some seeds lack as scores", () => {
  const lacking = (sample: string) => ({
    ...score(0, "s6", "", null),
    reason: `sample "${sample}": the truth is unknown`,
  });
  const seeds = [1, 2].map((seed) =>
    record("network", seed, [
      lacking(`a${seed}`),
      score(0, "s7", "", 30),
      score(2, "s6", "a", seed === 1 ? null : 20),
      score(4, "", "", seed === 1 ? 0.1 : null),
    ])
  );
  const made = run([trained], seeds);
  const gaps = (metric: number) => cellsOf(made, metric)[0].gaps;
  assert.deepEqual(gaps(0), [{ reason: "the truth is unknown", count: 1, of: 2, unit: "subject" }]);
  assert.deepEqual(gaps(2), [{ reason: "the image is constant", count: 1, of: 2, unit: "score" }]);
  assert.deepEqual(gaps(4), [{ reason: "the image is constant", count: 1, of: 2, unit: "score" }]);
});

Deno.test("emptyMetrics() are those without any value, once every job has ended", () => {
  const scores = [score(0, "s6", "", 20), score(2, "s6", "a", null), score(3, "s6", "a", "Inf")];
  const names = (made: Parameters<typeof summarise>[0]) =>
    emptyMetrics(summarise(made)).map(({ id, convention }) => `${id} ${convention}`);
  const made = run([row("input", false)], [record("input", null, scores)]);
  const empty = ["ssim fastmri", "psnr paper", "certificate proposition-3.1"];
  assert.deepEqual(names(made), empty);
  assert.deepEqual(
    withoutEmpty(summarise(made)).rows[0].cells.map(({ mean }) => mean),
    [20, Infinity],
  );
  assert.deepEqual(names(run([row("input", false), trained], made.records)), []);
});

Deno.test("summarise() lets diverged and failed jobs out of the means, and knows how many were planned", () => {
  const made = run([trained], [
    record("network", 1, [score(0, "s6", "", 20)]),
    record("network", 2, [score(0, "s6", "", 999)], {
      state: { kind: "diverged", update: 17, reason: "NaN" },
    }),
  ]);
  const [summed] = summarise(made).rows;
  assert.deepEqual([summed.planned, summed.done], [3, 1]);
  assert.deepEqual([summed.cells[0].mean, summed.cells[0].n], [20, 1]);
});

Deno.test("summarise() means costs over seeds under the convention cost", () => {
  const records = [10, 20].map((seconds, i) =>
    record("network", i + 1, [], { cost: { "train-seconds": seconds } })
  );
  const [summed] = summarise(run([trained], records)).rows;
  const [seconds, speed] = summed.costs;
  assert.deepEqual([seconds.metric.convention, seconds.mean, seconds.n], ["cost", 15, 2]);
  assert.deepEqual([speed.mean, speed.n], [null, 0]);
});

function cellsOf(made: Parameters<typeof summarise>[0], metric: number) {
  return summarise(made).rows.map(({ cells }) => cells[metric]);
}
