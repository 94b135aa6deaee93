import * as tf from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import { input } from "../baselines/input.ts";
import { meanImage } from "../baselines/mean_image.ts";
import { totalVariation } from "../baselines/total_variation.ts";
import type { Image } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { resolve } from "../core/settings.ts";
import { startBackend } from "../engine/backend.ts";
import type { Meeting, Problem } from "../methods/method.ts";
import { maskedFourier } from "../physics/fourier.ts";
import { drawLines } from "../physics/masks.ts";
import type { Operator } from "../physics/operator.ts";
// Made by baselines_total_variation.py, which says how.
import golden from "./golden/baselines_total_variation.json" with { type: "json" };

await startBackend();

const problem: Problem = {
  imageShape: [4, 3, 2],
  seenShape: [4, 3, 2],
  measurementShape: [4, 3, 2],
  updates: 1,
  batch: 1,
};
const rng = stream("baselines");
const unknown: Meeting = { A: undefined, see: (y) => tf.clone(y) as tf.Tensor4D };

function meeting(A: Operator): Meeting {
  return { A, see: (y) => A.adjoint(y) as tf.Tensor4D };
}

async function* images(...all: Image[]): AsyncGenerator<Image> {
  yield* all;
}

function constant(value: number, shape: readonly number[] = [4, 3, 2]): Image {
  return { shape, data: new Float32Array(shape.reduce((a, b) => a * b)).fill(value) };
}

Deno.test("input gives what a network sees, as a tensor of the caller's own", async () => {
  using learner = input.prepare(problem, {}, rng);
  const y = tf.randomNormal<tf.Rank.R4>([2, 4, 3, 2], 0, 1, "float32", 1);
  const x = learner.reconstruct(y, unknown);
  assert.deepEqual(await x.data(), await y.data());
  x.dispose();
  assert.equal(y.isDisposed, false);
});

Deno.test("meanImage answers every measurement with the mean of the training images", async () => {
  using learner = meanImage.prepare(problem, {}, rng);
  await learner.fit!(images(constant(1), constant(2), constant(6)), images());
  const x = learner.reconstruct(tf.zeros([2, 4, 3, 2]), unknown);
  assert.deepEqual(x.shape, [2, 4, 3, 2]);
  assert.ok((await x.data()).every((value) => value === 3));
  assert.equal(learner.parameters, 24);
  assert.deepEqual((await learner.weights())[0].data, constant(3).data);
});

Deno.test("meanImage lays images of different sizes on one another by their centres", async () => {
  using learner = meanImage.prepare(problem, {}, rng);
  // In any order: a canvas that grows keeps its centre.
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 2, 0]]) {
    const all = [constant(1, [1, 3, 1]), constant(4, [1, 4, 1]), constant(7, [2, 5, 1])];
    await learner.fit!(images(...order.map((i) => all[i])), images());
    const answer = async (height: number, width: number) => [
      ...await learner.reconstruct(tf.zeros([1, height, width, 1]), unknown).data(),
    ];
    // Centres are at [0, 1], [0, 2] and [1, 2].
    assert.deepEqual(await answer(2, 5), [7, 7, 7, 7, 7, 5.5, 4, 4, 4, 7]);
    assert.deepEqual(await answer(1, 3), [4, 4, 4]);
    assert.deepEqual(await answer(2, 7), [0, 7, 7, 7, 7, 7, 0, 0, 5.5, 4, 4, 4, 7, 0]);
  }
});

Deno.test("meanImage lays volumes on one another by their centres, too", async () => {
  using learner = meanImage.prepare(problem, {}, rng);
  await learner.fit!(images(constant(1, [1, 1, 3, 1]), constant(4, [3, 1, 2, 1])), images());
  const x = learner.reconstruct(tf.zeros([1, 4, 1, 3, 1]) as tf.Tensor as tf.Tensor4D, unknown);
  assert.deepEqual(x.shape, [1, 4, 1, 3, 1] as number[]);
  // Centres are at slice 0, column 1 and at slice 1, column 1.
  assert.deepEqual([...await x.data()], [0, 0, 0, 4, 4, 0, 2.5, 2.5, 1, 4, 4, 0]);
});

Deno.test("meanImage refuses images of different channels, and none at all", async () => {
  using learner = meanImage.prepare(problem, {}, rng);
  await assert.rejects(
    learner.fit!(images(constant(1), constant(1, [4, 3, 1])), images()),
    /like \[4,3,2\] and like \[4,3,1\] have no mean/,
  );
  await assert.rejects(
    learner.fit!(images(constant(1), constant(1, [2, 4, 3, 2])), images()),
    /like \[4,3,2\] and like \[2,4,3,2\] have no mean/,
  );
  await assert.rejects(learner.fit!(images(), images()), /no training image/);
});

const { height, width, lines } = golden;
const A = maskedFourier(height, width, lines);
const y = () => tf.tensor4d(golden.y, [1, height, width, 2]);

function reconstruct(
  overrides: { weight?: number; iterations?: number },
  y: tf.Tensor4D,
  operator = A,
): tf.Tensor4D {
  using learner = totalVariation.prepare(problem, resolve(totalVariation.settings, overrides, "test"), rng);
  return learner.reconstruct(y, meeting(operator));
}

/** ½‖A x − y‖² + λ TV(x) in float64, from the definition. */
async function objective(x: tf.Tensor, weight: number): Promise<number> {
  const image = await x.data();
  const measured = await A.forward(x).data();
  const at = (row: number, column: number, c: number) => image[2 * (row * width + column) + c];
  let value = 0;
  measured.forEach((m, i) => value += 0.5 * (m - golden.y[i]) ** 2);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      let square = 0;
      for (const c of [0, 1]) {
        if (row + 1 < height) square += (at(row + 1, column, c) - at(row, column, c)) ** 2;
        if (column + 1 < width) square += (at(row, column + 1, c) - at(row, column, c)) ** 2;
      }
      value += weight * Math.sqrt(square);
    }
  }
  return value;
}

for (const { weight, objective: least, x } of golden.solutions) {
  Deno.test(`totalVariation finds at λ = ${weight} the image that ADMM in float64 finds`, async () => {
    const solution = reconstruct({ weight, iterations: 3000 }, y());
    const value = await objective(solution, weight);
    assert.ok(Math.abs(value / least - 1) < 1e-3, `objective ${value}, least ${least}`);
    const far = Math.hypot(...(await solution.data()).map((v, i) => v - x[i])) / Math.hypot(...x);
    assert.ok(far < 0.01, `${far} of the image away`);
  });

  Deno.test(`totalVariation is near the least objective after its default iterations at λ = ${weight}`, async () => {
    const value = await objective(reconstruct({ weight }, y()), weight);
    assert.ok(value / least < 1.03, `objective ${value}, least ${least}`);
  });
}

Deno.test("totalVariation takes a batch as it takes each of its images", async () => {
  const batch = tf.concat([y(), tf.mul<tf.Tensor4D>(y(), 0.5)]);
  const [both, alone] = [reconstruct({}, batch), reconstruct({}, tf.mul(y(), 0.5))];
  const [values, expected] = [await both.data(), await alone.data()];
  assert.ok(expected.every((value, i) => Math.abs(value - values[i + expected.length]) < 1e-5));
});

Deno.test("totalVariation keeps its steps within the bound of an operator of larger norm", async () => {
  const times: Operator = {
    ...A,
    norm: 5,
    forward: (x) => tf.mul(A.forward(x), 5),
    adjoint: (y) => tf.mul(A.adjoint(y), 5),
  };
  // ½‖5Ax − 5y‖² + 25 λ TV has the same minimiser as ½‖Ax − y‖² + λ TV.
  const scaled = reconstruct({ weight: 25 * 0.03, iterations: 3000 }, tf.mul(y(), 5), times);
  const expected = golden.solutions.find(({ weight }) => weight === 0.03)!.x;
  const far = Math.hypot(...(await scaled.data()).map((v, i) => v - expected[i])) / Math.hypot(...expected);
  assert.ok(far < 0.02, `${far}`);
});

Deno.test("totalVariation gives the same bits each time and leaves no tensors behind", async () => {
  const measurement = y();
  const first = reconstruct({ iterations: 5 }, measurement);
  const before = tf.memory().numTensors;
  const second = reconstruct({ iterations: 5 }, measurement);
  assert.equal(tf.memory().numTensors, before + 1);
  assert.deepEqual(await first.data(), await second.data());
});

Deno.test("totalVariation beats the zero-filled image of a head of constant regions by 6 dB at 4x", async () => {
  const [height, width] = [48, 64];
  const values = Float32Array.from({ length: height * width * 2 }, (_, i) => {
    const [row, column] = [Math.floor(i / 2 / width) - 24, Math.floor(i / 2) % width - 32];
    const [outer, inner] = [Math.hypot(row / 20, column / 24), Math.hypot((row + 4) / 9, (column - 6) / 7)];
    return (outer < 1 ? 1 : 0) * (inner < 1 ? 1.6 : 1) * (i % 2 === 0 ? 1 : 0.3);
  });
  const lines = drawLines(width, { kind: "random", acceleration: 4, acs: 0.08 }, stream("head"));
  const H = maskedFourier(height, width, lines);
  const measurement = H.forward(tf.tensor4d(values, [1, height, width, 2])) as tf.Tensor4D;
  const error = async (x: tf.Tensor) => Math.hypot(...(await x.data()).map((v, i) => v - values[i]));
  const [filled, least] = [await error(measurement), await error(reconstruct({}, measurement, H))];
  assert.ok(20 * Math.log10(filled / least) > 6, `${20 * Math.log10(filled / least)} dB`);
});
