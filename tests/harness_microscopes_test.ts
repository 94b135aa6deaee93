import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import type { Combiner } from "../benchmarks/benchmark.ts";
import type { Image } from "../core/image.ts";
import { stream } from "../core/random.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { startBackend } from "../engine/backend.ts";
import { configure } from "../harness/configuration.ts";
import { examine, type Shown } from "../harness/evaluate.ts";
import { batches, Shelf } from "../harness/samples.ts";
import type { Case, Metric } from "../metrics/metric.ts";
import { input, meanAbsoluteError, toyBenchmark, toyContents, toyDataset } from "./toy.ts";

await startBackend({ name: "cpu" });
const contents = toyContents(2, 3);
const refs = contents.subjects.flatMap(({ id, samples }) =>
  samples.map((sample) => ({ subject: id, sample }))
);
const problem = {
  imageShape: [4, 4, 2],
  measurementShape: [4, 4, 2],
  seenShape: [4, 4, 2],
  updates: 1,
  batch: 1,
};
const knows = { pairs: false, operator: "exactly" } as const;

/** Averages frames, and every other one. */
function average(): Combiner {
  const sums: { reconstruction: Float32Array; truth: Float32Array }[] = [];
  const mean = (values: readonly Float32Array[]): Image => ({
    shape: [4, 4, 1],
    data: values[0].map((_, i) => values.reduce((sum, value) => sum + value[i], 0) / values.length),
  });
  return {
    name: "average",
    add: ({ reconstruction, truth }) =>
      sums.push({ reconstruction: reconstruction.data, truth: truth!.data }),
    whole: () => ({
      reconstruction: mean(sums.map(({ reconstruction }) => reconstruction)),
      truth: mean(sums.map(({ truth }) => truth)),
      halves: [0, 1].map((parity) =>
        mean(sums.filter((_, i) => i % 2 === parity).map(({ reconstruction }) => reconstruction))
      ) as [Image, Image],
    }),
  };
}

/** A metric that keeps the cases that it is given, and scores each with 1. */
function witness(more: Partial<Metric> = {}) {
  const seen: Case[][] = [];
  const metric: Metric = {
    ...meanAbsoluteError,
    ...more,
    score(cases) {
      seen.push([...cases]);
      return cases.map(({ sample }) => ({ sample, value: 1 }));
    },
  };
  return { metric, seen };
}

const shelfOf = (benchmark: ReturnType<typeof toyBenchmark>, dataset: Dataset = toyDataset(contents)) =>
  new Shelf(dataset, benchmark, benchmark.acquisition({}, "s"), "task");

Deno.test("examine() combines the samples of each subject for metrics of the whole, and scores frames by the others", async () => {
  const benchmark = toyBenchmark({ combine: average });
  const [whole, frames] = [witness({ id: "whole", of: "whole" }), witness()];
  const shown: Shown[] = [];
  using learner = input.prepare(problem, { gain: 0.5 }, stream("networks"));
  const examination = { shelf: shelfOf(benchmark), settings: {}, learner, knows };
  const { scores } = await examine(examination, refs, [whole.metric, frames.metric], (one) => {
    shown.push(one);
    return Promise.resolve();
  });

  deepStrictEqual(frames.seen.map((cases) => cases.map(({ sample }) => sample)), [["0", "1", "2"], [
    "0",
    "1",
    "2",
  ]]);
  deepStrictEqual(whole.seen.map((cases) => cases.map(({ sample }) => sample)), [["average"], ["average"]]);
  deepStrictEqual(scores.filter(({ metric }) => metric === "whole").map(({ subject }) => subject), [
    "s0",
    "s1",
  ]);
  const [{ reconstruction, halves }] = whole.seen[1];
  const of = (i: number) => frames.seen[1][i].reconstruction.data[0];
  ok(Math.abs(reconstruction.data[0] - (of(0) + of(1) + of(2)) / 3) < 1e-6);
  ok(Math.abs(halves![0].data[0] - (of(0) + of(2)) / 2) < 1e-6);
  equal(halves![1].data[0], of(1));
  // Pictures are of the whole: the input's average beside the reconstruction's, which here is half of it.
  deepStrictEqual(shown.map(({ subject, kept }) => [subject, kept.sample]), [["s0", "average"], [
    "s1",
    "average",
  ]]);
  ok(Math.abs(shown[1].input.data[0] - 2 * reconstruction.data[0]) < 1e-6);
});

Deno.test("examine() shows what networks see in the unit of images, where a benchmark says how", async () => {
  using learner = input.prepare(problem, { gain: 1 }, stream("networks"));
  const inputOf = async (overrides: Parameters<typeof toyBenchmark>[0]) => {
    const examination = { shelf: shelfOf(toyBenchmark(overrides)), settings: {}, learner, knows };
    const shown: Shown[] = [];
    await examine(examination, refs.slice(0, 1), [meanAbsoluteError], (one) => {
      shown.push(one);
      return Promise.resolve();
    });
    return shown[0].input.data;
  };
  const asSeen = await inputOf({});
  const halved = await inputOf({
    asImage: ({ shape, data }) => ({ shape, data: data.map((value) => value / 2) }),
  });
  deepStrictEqual(halved, asSeen.map((value) => value / 2));
  ok(asSeen.some((value) => value !== 0));
});

Deno.test("examine() asks a learner for emitters, else the benchmark, and nobody where no metric needs them", async () => {
  const truth = { xNm: Float64Array.of(1), yNm: Float64Array.of(2) };
  const plain = toyBenchmark();
  let located = 0;
  const benchmark = toyBenchmark({
    acquisition: (settings, name) => {
      const acquisition = plain.acquisition(settings as never, name);
      return {
        ...acquisition,
        measure: async (sample, rng) => ({
          ...await acquisition.measure(sample, rng),
          emitters: truth,
          pixelNm: [7, 7],
        }),
      };
    },
    locate: ({ pixelNm }) => {
      located += 1;
      return { xNm: Float64Array.from(pixelNm!), yNm: Float64Array.from(pixelNm!) };
    },
  });
  const { metric, seen } = witness({ needs: ["emitters"] });
  using learner = input.prepare(problem, { gain: 1 }, stream("networks"));
  const examination = { shelf: shelfOf(benchmark), settings: {}, learner, knows };
  await examine(examination, refs.slice(0, 1), [meanAbsoluteError]);
  equal(located, 0);
  await examine(examination, refs.slice(0, 1), [metric]);
  deepStrictEqual([located, seen[0][0].emitters!.found.xNm[0], seen[0][0].emitters!.truth], [1, 7, truth]);

  const locating = {
    ...learner,
    locate: (y: tf.Tensor4D) =>
      Promise.resolve(
        Array.from({ length: y.shape[0] }, (_, i) => ({ xNm: Float64Array.of(i), yNm: Float64Array.of(i) })),
      ),
  };
  await examine({ ...examination, learner: locating }, refs.slice(0, 3), [metric]);
  deepStrictEqual(seen[1].map(({ emitters }) => emitters!.found.xNm[0]), [0, 1, 2]);
  equal(located, 1);
});

Deno.test("examine() hands a metric the kernel that was learned beside the one that measured", async () => {
  const kernel = (value: number) => ({ shape: [1, 1, 1], data: Float32Array.of(value) });
  const plain = toyBenchmark();
  const benchmark = toyBenchmark({
    acquisition: (settings, name) => {
      const acquisition = plain.acquisition(settings as never, name);
      return {
        ...acquisition,
        measure: async (sample, rng) => ({ ...await acquisition.measure(sample, rng), kernel: kernel(3) }),
      };
    },
  });
  const { metric, seen } = witness({ needs: ["kernel"] });
  using learner = input.prepare(problem, { gain: 1 }, stream("networks"));
  const examination = { shelf: shelfOf(benchmark), settings: {}, learner, knows };
  await examine(examination, refs.slice(0, 1), [metric]);
  equal(seen[0][0].kernel, undefined);
  const learning = {
    ...learner,
    learned: () => Promise.resolve({ kernel: kernel(2), "kernel-initial": kernel(1) }),
  };
  await examine({ ...examination, learner: learning }, refs.slice(0, 1), [metric]);
  deepStrictEqual(seen[1][0].kernel, { learned: kernel(2), initial: kernel(1), truth: kernel(3) });
});

Deno.test("batches() simulates the pairs of x as the benchmark believes, and measures y as it is", async () => {
  const plain = toyBenchmark();
  const names: string[] = [];
  const benchmark = toyBenchmark({
    acquisition: (settings, name) => {
      const acquisition = plain.acquisition(settings as never, name);
      const noting = (how: string): typeof acquisition.measure => async (sample, rng) => {
        names.push(`${how} ${sample.subject}`);
        const measured = await acquisition.measure(sample, rng);
        const { shape, data } = measured.measurement;
        return {
          ...measured,
          measurement: { shape, data: data.map((value) => how === "simulated" ? 0 : value) },
        };
      };
      return { ...acquisition, measure: noting("measured"), simulate: noting("simulated") };
    },
  });
  const [x, y] = [refs.slice(0, 3), refs.slice(3)];
  const deal = (pairs: boolean) =>
    batches({
      shelf: shelfOf(benchmark),
      knows: { ...knows, pairs },
      x,
      y,
      batch: 1,
      mirror: false,
      rng: stream("a"),
    })
      .draw();
  const sum = (t: tf.Tensor) => tf.tidy(() => tf.sum(tf.abs(t)).dataSync()[0]);

  const paired = await deal(true);
  deepStrictEqual([names.splice(0), sum(paired.y)], [["simulated s0"], 0]);
  const unpaired = await deal(false);
  deepStrictEqual(names.splice(0).sort(), ["measured s1", "simulated s0"]);
  ok(sum(unpaired.y) > 0);
  tf.dispose([paired.x, paired.y, unpaired.x, unpaired.y]);
});

Deno.test("settings may be written with hyphens, rows keep theirs", () => {
  const rows = [{
    name: "my-input",
    method: { ...input, settings: { someGain: { default: 1, about: "a factor" } } },
  }];
  const configured = (set: string[]) =>
    configure([toyBenchmark({ rows })], { benchmark: "toy", profile: "smoke", set }).rows[0].settings
      .someGain;
  deepStrictEqual([["my-input.some-gain=3"], ["some-gain=4"], ["someGain=5"]].map(configured), [3, 4, 5]);
  let message = "";
  try {
    configured(["some-gian=1"]);
  } catch (error) {
    message = (error as Error).message;
  }
  match(message, /someGain/);
});

Deno.test("examine() hands out the curves of the whole, and says of halves whether they were learned", async () => {
  const benchmark = toyBenchmark({ combine: average });
  const curves: Metric["curves"] = (cases) =>
    cases.map(({ sample, halves }) => ({
      name: "curve",
      sample,
      axes: { x: "half", y: "value" },
      x: [1, 2],
      y: halves!.map(({ data }) => data[0]),
    }));
  const { metric, seen } = witness({ of: "whole", curves });
  const ofFrames = witness({ curves });
  using plain = input.prepare(problem, { gain: 0.5 }, stream("networks"));
  for (
    const [learner, learned] of [[plain, false], [{ ...plain, fit: () => Promise.resolve() }, true]] as const
  ) {
    const shown: Shown[] = [];
    const examination = { shelf: shelfOf(benchmark), settings: {}, learner, knows };
    await examine(examination, refs, [metric, ofFrames.metric], (one) => {
      shown.push(one);
      return Promise.resolve();
    });
    const [{ halves, learned: isLearned }] = seen.at(-1)!;
    equal(isLearned, learned);
    const [curve, ...others] = shown[1].curves();
    deepStrictEqual(others, []);
    deepStrictEqual([curve.sample, curve.y], ["average", halves!.map(({ data }) => data[0])]);
  }
});
