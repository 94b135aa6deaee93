import * as tf from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import { richardsonLucy, richardsonLucyTv } from "../baselines/richardson_lucy.ts";
import { wiener } from "../baselines/wiener.ts";
import { squaredDistance } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { type Overrides, resolve, type Settings } from "../core/settings.ts";
import { samples } from "../datasets/dataset.ts";
import { microtubules } from "../datasets/microtubules.ts";
import { startBackend } from "../engine/backend.ts";
import type { Meeting, Method, Problem } from "../methods/method.ts";
import { noiseOf } from "../physics/camera.ts";
import { convolution, convolutionForm } from "../physics/convolution.ts";
import { microscope, microscopeSettings } from "../physics/microscope.ts";
import type { Operator } from "../physics/operator.ts";
// Made by baselines_deconvolution.py, which says how.
import golden from "./golden/baselines_deconvolution.json" with { type: "json" };

await startBackend();

function meet(A: Operator, noise?: Meeting["noise"]): Meeting {
  return { A, noise, see: (y) => A.approximateInverse!(y) as tf.Tensor4D };
}

function reconstruct<S extends Settings>(
  method: Method<S>,
  y: tf.Tensor,
  meeting: Meeting,
  overrides: Overrides = {},
): tf.Tensor4D {
  const [, ...measurementShape] = y.shape;
  const problem: Problem = {
    imageShape: meeting.A!.imageShape,
    seenShape: meeting.A!.imageShape,
    measurementShape,
    updates: 1,
    batch: 1,
  };
  using learner = method.prepare(problem, resolve(method.settings, overrides, "test"), stream("unused"));
  return learner.reconstruct(y as tf.Tensor4D, meeting);
}

/** Convolution by a golden kernel, with images larger than the measurement. */
function operatorOf(
  measurement: readonly number[],
  kernel: readonly number[],
  h: readonly number[],
): Operator {
  const image = measurement.map((extent, axis) => extent + kernel[axis] - 1);
  const form = convolutionForm([...image, 1], [...kernel, 1]);
  return convolution(form, { shape: form.kernelShape, data: Float32Array.from(h) });
}

async function near(x: tf.Tensor, expected: ArrayLike<number>, tolerance: number): Promise<void> {
  const values = await x.data<"float32">();
  assert.equal(values.length, expected.length);
  const largest = Math.max(...Array.from(expected, Math.abs));
  const far = values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
  assert.ok(far <= tolerance * largest, `${far} of ${largest}`);
}

/** The part of an image that lies on a measurement of [40, 44], without `rim` pixels on each side. */
const inside = (x: tf.Tensor, [rows, columns]: readonly number[], rim: number) =>
  tf.slice(x, [0, (rows - 1) / 2 + rim, (columns - 1) / 2 + rim, 0], [1, 40 - 2 * rim, 44 - 2 * rim, 1]);

Deno.test("Richardson and Lucy's deconvolution is scikit-image's, where borders do not matter", async () => {
  const { shape, kernel, h, y, iterations, x } = golden.lucy;
  const A = operatorOf(shape, kernel, h);
  const found = reconstruct(richardsonLucy, tf.tensor(y, [1, ...shape, 1]), meet(A), { iterations });
  const expected = inside(tf.tensor(x, [1, ...shape, 1]), [1, 1], 8);
  await near(inside(found, kernel, 8), await expected.data(), 2e-5);
});

Deno.test("with dark borders it is scikit-image's up to the border", async () => {
  const { shape, kernel, h, y, iterations, x } = golden.lucy;
  const A = operatorOf(shape, kernel, h);
  const settings = { iterations, borders: "dark" };
  const found = reconstruct(richardsonLucy, tf.tensor(y, [1, ...shape, 1]), meet(A), settings);
  await near(inside(found, kernel, 0), x, 2e-5);
});

Deno.test("Wiener's deconvolution is scikit-image's, where borders do not matter", async () => {
  const { shape, kernel, h, y, weight, x } = golden.hunt;
  const A = operatorOf(shape, kernel, h);
  const found = reconstruct(wiener, tf.tensor(y, [1, ...shape, 1]), meet(A), { weight, iterations: 300 });
  const expected = inside(tf.tensor(x, [1, ...shape, 1]), [1, 1], 8);
  await near(inside(found, kernel, 8), await expected.data(), 2e-3);
});

for (const { image, kernel, measurement, h, y, variation, wiener: linear } of golden.dense) {
  const A = operatorOf(measurement, kernel, h);
  const measured = () => tf.tensor(y, [1, ...measurement, 1]);

  Deno.test(`Richardson-Lucy with total variation on [${image}] is what NumPy makes of its equation`, async () => {
    const { weight, iterations, x } = variation;
    await near(reconstruct(richardsonLucyTv, measured(), meet(A), { weight, iterations }), x, 1e-4);
  });

  Deno.test(`Wiener's deconvolution on [${image}] is the solution of its normal equations`, async () => {
    const { weight, x } = linear;
    await near(reconstruct(wiener, measured(), meet(A), { weight, iterations: 300 }), x, 1e-3);
  });
}

const { image, kernel, measurement, h, y } = golden.dense[0];
const A = operatorOf(measurement, kernel, h);
const measured = () => tf.tensor(y, [1, ...measurement, 1]);
const methods = [richardsonLucy, richardsonLucyTv, wiener] as readonly Method[];

Deno.test("Richardson and Lucy's images have as much light as was measured, and none is negative", async () => {
  for (const iterations of [1, 7, 50]) {
    const x = reconstruct(richardsonLucy, measured(), meet(A), { iterations });
    const [light] = await tf.sum(tf.mul(x, A.adjoint(tf.onesLike(measured())))).data();
    const sum = y.reduce((total, value) => total + value, 0);
    assert.ok(Math.abs(light / sum - 1) < 1e-5, `${light} and ${sum}`);
    assert.ok((await x.data()).every((value) => value >= 0));
  }
});

Deno.test("each iteration of Richardson and Lucy's makes the measurement likelier", async () => {
  let before = -Infinity;
  for (const iterations of [1, 2, 4, 8, 16, 32]) {
    const expected = await A.forward(reconstruct(richardsonLucy, measured(), meet(A), { iterations })).data();
    const likelihood = y.reduce((sum, value, i) => sum + value * Math.log(expected[i]) - expected[i], 0);
    assert.ok(likelihood > before, `${likelihood} after ${before}`);
    before = likelihood;
  }
});

Deno.test("a calibrated camera's background and read-out count as light that is not the image's", async () => {
  const noise = noiseOf({ photons: 100, background: 6, readNoise: 2 });
  const once = reconstruct(richardsonLucy, measured(), meet(A, noise), { iterations: 1 });
  const seen = A.adjoint(tf.onesLike(measured()));
  const start = tf.mul(tf.cast(tf.greater(seen, tf.mul(tf.max(seen), 0.01)), "float32"), tf.mean(measured()));
  // (6 + 2²) / 100 more in every pixel, measured and expected.
  const ratio = tf.div(tf.add(measured(), 0.1), tf.add(A.forward(start), 0.1));
  const expected = tf.div(tf.mul(start, A.adjoint(ratio)), seen);
  await near(once, await expected.data(), 1e-5);
});

Deno.test("classical deconvolution takes a batch as it takes each of its measurements", async () => {
  for (const method of methods) {
    const both = reconstruct(method, tf.concat([tf.mul(measured(), 2), measured()]), meet(A));
    const alone = reconstruct(method, measured(), meet(A));
    await near(tf.slice(both, [1, 0, 0, 0], [1, -1, -1, -1]), await alone.data(), 1e-4);
    assert.deepEqual(alone.shape, [1, ...image, 1]);
  }
});

Deno.test("classical deconvolution leaves no tensors behind, and survives a measurement without light", async () => {
  for (const method of methods) {
    const dark = tf.zeros([1, ...measurement, 1]);
    const before = tf.memory().numTensors;
    const x = reconstruct(method, dark, meet(A), { iterations: 3 });
    assert.equal(tf.memory().numTensors, before + 1, method.name);
    assert.ok((await x.data()).every((value) => Math.abs(value) < 1e-5), method.name);
  }
});

Deno.test("on simulated microtubules each of them is some decibels better than the widefield image", async () => {
  const settings = { subjects: 4, slices: 1, matrix: 64, pixelNm: 65, stream: "classical" };
  const scope = microscope(resolve(microscopeSettings, {}, "test"), "classical");
  const gains = new Map<string, number>();
  for await (const sample of samples(microtubules(settings))) {
    const met = await scope.measure(sample, stream(`classical/${sample.subject}`));
    const meeting = meet(met.operator, met.noise);
    const given = tf.tensor(met.measurement.data, [1, ...met.measurement.shape]);
    const middle = (x: tf.Tensor) => tf.slice(x, [0, 8, 8, 0], [1, 48, 48, 1]).data();
    const truth = await middle(tf.tensor(sample.image!.data, [1, 64, 64, 1]));
    const error = async (x: tf.Tensor) => squaredDistance(await middle(x), truth);
    const before = await error(meeting.see(given));
    for (const method of methods) {
      const gain = 10 * Math.log10(before / await error(reconstruct(method, given, meeting)));
      gains.set(method.name, (gains.get(method.name) ?? 0) + gain / 4);
    }
  }
  const [lucy, variation, linear] = [...gains.values()];
  // DEFAULTS.md, C2: 3.65 dB by 20 iterations on a simulator of its own.
  assert.ok(lucy > 3.6 && variation > 4 && linear > 3, `${[...gains]}`);
});
