import { deepStrictEqual, ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { examine } from "../harness/evaluate.ts";
import { Shelf } from "../harness/samples.ts";
import type { Case, Metric } from "../metrics/metric.ts";
import { splitError } from "../physics/row_space.ts";
import { input, meanAbsoluteError, toyBenchmark, toyContents, toyDataset } from "./toy.ts";

await startBackend({ name: "cpu" });
const contents = toyContents(1, 2);
const refs = contents.subjects[0].samples.map((sample) => ({ subject: "s0", sample }));
const problem = {
  imageShape: [4, 4, 2],
  measurementShape: [4, 4, 2],
  seenShape: [4, 4, 2],
  updates: 1,
  batch: 1,
};

/** A metric that keeps the cases that it is given. */
function witness(needs: Metric["needs"]) {
  const cases: Case[] = [];
  const metric: Metric = {
    ...meanAbsoluteError,
    id: "witness",
    needs,
    score(subject) {
      cases.push(...subject);
      return [];
    },
  };
  return { metric, cases };
}

/** Scores half of every measurement; every other column is measured. */
async function halves(metrics: readonly Metric[], knowsOperator = true) {
  let splits = 0;
  const benchmark = toyBenchmark(
    knowsOperator
      ? {
        splitError(A, error) {
          splits += 1;
          return splitError(A, error);
        },
      }
      : {},
  );
  const shelf = new Shelf(toyDataset(contents), benchmark, benchmark.acquisition({}, "s"), "task");
  using learner = input.prepare(problem, { gain: 0.5 }, stream("networks"));
  const knows = { pairs: false, operator: "exactly" } as const;
  const tensors = tf.memory().numTensors;
  await examine({ shelf, settings: {}, learner, knows }, refs, metrics);
  // The benchmark keeps its operator's mask.
  ok(tf.memory().numTensors <= tensors + 1);
  return splits;
}

Deno.test("examine() gives a metric the norms of residual and error that it needs, worked out by hand", async () => {
  const { metric, cases } = witness(["measured", "error"]);
  deepStrictEqual(await halves([metric]), 2);
  for (const [index, { measured, error }] of cases.entries()) {
    const { image } = await toyDataset(contents).sample("s0", refs[index].sample);
    const norm = (columns: readonly number[]) =>
      Math.hypot(...image!.data.filter((_, i) => columns.includes(Math.floor(i / 2) % 4)));
    const expected = [0.5 * norm([0, 2]), norm([0, 2]), 0.5 * norm([0, 2]), norm([1, 3]), norm([0, 1, 2, 3])];
    const found = [measured!.residual, measured!.measurement, error!.seen, error!.unseen, error!.truth];
    expected.forEach((value, i) => ok(Math.abs(value - found[i]) < 1e-5 * value, `${found} not ${expected}`));
  }
});

Deno.test("examine() projects nothing and splits no error where no metric needs it", async () => {
  const { metric, cases } = witness(undefined);
  deepStrictEqual(await halves([metric, meanAbsoluteError]), 0);
  deepStrictEqual(cases.map(Object.keys), Array(2).fill(["sample", "reconstruction", "truth"]));
});

Deno.test("examine() splits no error where a benchmark does not say how", async () => {
  const { metric, cases } = witness(["measured", "error"]);
  await halves([metric], false);
  deepStrictEqual(
    cases.map(({ measured, error }) => [measured !== undefined, error]),
    Array(2).fill([true, undefined]),
  );
});
