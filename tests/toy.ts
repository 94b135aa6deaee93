/** A benchmark small enough to work out by hand: 4 x 4 images, every other column is measured. */

import * as tf from "@tensorflow/tfjs-core";
import { type Benchmark, commonSettings } from "../benchmarks/benchmark.ts";
import { magnitude } from "../core/image.ts";
import { stream } from "../core/random.ts";
import type { Contents, Dataset, Subject } from "../datasets/dataset.ts";
import type { Method } from "../methods/method.ts";
import type { Metric } from "../metrics/metric.ts";
import type { Operator } from "../physics/operator.ts";

const shape = [4, 4, 2];

/** Contents with these subjects and as many samples each. */
export function toyContents(subjects: number, samples: number, more: Partial<Subject> = {}): Contents {
  return {
    kind: "toy",
    name: "toy",
    subjects: Array.from({ length: subjects }, (_, index) => ({
      id: `s${index}`,
      samples: Array.from({ length: samples }, (_, sample) => String(sample)),
      shape,
      ...more,
    })),
    unit: "arbitrary",
    holds: "images",
    banners: [],
    notes: [],
    hash: "toy",
  };
}

/** A dataset whose every image is random by its name. */
export function toyDataset(contents: Contents): Dataset {
  return {
    contents,
    sample(subject, id) {
      const rng = stream(`toy/${subject}/${id}`);
      const data = Float32Array.from({ length: 32 }, () => 1 + rng.uniform());
      return Promise.resolve({ id, subject, image: { shape, data } });
    },
    close() {},
  };
}

/** Keeps every other column: an orthogonal projection. */
export function everyOtherColumn(): Operator {
  const mask = tf.keep(tf.tensor([1, 0, 1, 0], [1, 1, 4, 1]));
  const apply = (x: tf.Tensor) => tf.mul(x, mask);
  return {
    name: "every other column",
    settings: {},
    imageShape: shape,
    measurementShape: shape,
    forward: apply,
    adjoint: apply,
  };
}

/** Gives what it sees. */
export const input: Method = {
  name: "input",
  about: "the input",
  source: "none",
  knows: { pairs: false, operator: "nothing" },
  settings: { gain: { default: 1, about: "a factor", min: 0, max: 2 } },
  trains: false,
  effort: 0,
  prepare: (_problem, { gain }) => ({
    parameters: 0,
    macs: () => 0,
    reconstruct: (y, { see }) => tf.tidy(() => tf.mul(see(y), gain as number)),
    weights: () => Promise.resolve([]),
    [Symbol.dispose]() {},
  }),
};

/** Mean absolute error of magnitudes. */
export const meanAbsoluteError: Metric = {
  id: "mae",
  convention: "toy",
  unit: "",
  better: "lower",
  about: "Mean absolute error.",
  score: (cases) =>
    cases.map(({ sample, reconstruction, truth }) => ({
      sample,
      value: truth === undefined
        ? null
        : reconstruction.data.reduce((sum, value, i) => sum + Math.abs(value - truth.data[i]), 0) / 16,
    })),
};

/** The benchmark; spread over it to change it. */
export function toyBenchmark(more: Partial<Benchmark> = {}): Benchmark {
  let operator: Operator | undefined;
  return {
    name: "toy",
    title: "Toy",
    question: "Does the harness carry samples along?",
    settings: { ...commonSettings, strength: { default: 2, about: "nothing" } },
    profiles: {
      smoke: { about: "tiny", settings: { updates: 2 }, seeds: "1" },
      quick: { about: "small", methods: { gain: 0.5 }, seeds: "3" },
      paper: { about: "large", rows: { input: { gain: 1.5 } }, seeds: "1-2" },
    },
    embedded: () => toyDataset(toyContents(14, 2)),
    kinds: [],
    matrix: () => undefined,
    acquisition: () => ({
      name: "toy",
      settings: {},
      async measure({ image }) {
        operator ??= everyOtherColumn();
        const y = tf.tidy(() => operator!.forward(tf.tensor(image!.data, [1, ...shape])));
        const data = (await y.data()) as Float32Array;
        y.dispose();
        return { operator, image, measurement: { shape, data } };
      },
    }),
    see: (y, A) => A.adjoint(y) as tf.Tensor4D,
    scale: () => 2,
    view: magnitude,
    rows: [{ name: "input", method: input }, { name: "half", method: input, settings: { gain: 0.25 } }],
    byName: [],
    metrics: [meanAbsoluteError],
    followed: [],
    keep: () => Promise.resolve(),
    notes: [],
    ...more,
  };
}
