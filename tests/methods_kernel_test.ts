/** Learned kernels: their values, their average, what their spectra say of them, and the methods that learn them. */

import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { type Image, sizeOf } from "../core/image.ts";
import { sha256 } from "../core/json.ts";
import { stream } from "../core/random.ts";
import { type Overrides, resolve } from "../core/settings.ts";
import { Adam } from "../engine/adam.ts";
import { startBackend } from "../engine/backend.ts";
import { l2 } from "../engine/ops.ts";
import { kernelLoss } from "../methods/blind.ts";
import { matchedShares } from "../methods/kernel_spectrum.ts";
import type { Batch, Learner, Method } from "../methods/method.ts";
import { gaussianMixture, type GaussianMixtureOptions } from "../methods/networks/gaussian_mixture.ts";
import type { LearnedKernel } from "../methods/networks/learned_kernel.ts";
import { patches } from "../methods/networks/patch_sizes.ts";
import { freeKernel, softmaxKernel } from "../methods/networks/pixelwise_kernel.ts";
import { measuredWithNoise } from "../methods/noisy_measurements.ts";
import { otCycleGanBlind } from "../methods/ot_cyclegan_blind.ts";
import { otCycleGanBlindLsgan } from "../methods/ot_cyclegan_blind_lsgan.ts";
import { otCycleGanKnownPsf } from "../methods/ot_cyclegan_known_psf.ts";
import { otCycleGanPatchesLsgan } from "../methods/ot_cyclegan_patches_lsgan.ts";
import { spectrumMatching } from "../methods/spectrum_matching.ts";
import { pearson } from "../metrics/correlation.ts";
import { noiseOf, photographed } from "../physics/camera.ts";
import { convolutionForm } from "../physics/convolution.ts";
import { small } from "./toy_problem.ts";

await startBackend();

const plane: GaussianMixtureOptions = {
  shape: [9, 9, 1],
  start: { lateral: 1.4, axial: 1.4 },
  averaging: 0.25,
};
const volume: GaussianMixtureOptions = { ...plane, shape: [5, 9, 9, 1] };
const kinds: Readonly<Record<string, (options: GaussianMixtureOptions) => LearnedKernel>> = {
  "a Gaussian mixture": gaussianMixture,
  "a softmax kernel": softmaxKernel,
  "a free kernel": freeKernel,
};

function valuesOf(make: () => tf.Tensor): Float32Array {
  return Float32Array.from(tf.tidy(() => make().dataSync()));
}

function near(a: number, b: number, tolerance = 1e-5) {
  ok(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${a}, not ${b}`);
}

/** Moves a kernel towards a target by a few steps of Adam. */
function learn(kernel: LearnedKernel, target: Float32Array, steps: number, rate: number): void {
  using adam = new Adam({ beta1: 0.5, beta2: 0.9 });
  const variables = kernel.weights.filter(({ trained }) => trained).map(({ variable }) => variable);
  const to = tf.tidy(() => tf.tensor(target, kernel.kernel().shape));
  for (let step = 0; step < steps; step++) {
    tf.tidy(() => {
      const { grads } = tf.variableGrads(() => tf.mul<tf.Scalar>(l2(kernel.kernel(), to), 1e4), variables);
      adam.step(variables, variables.map(({ name }) => grads[name]), () => rate);
    });
    kernel.settle!();
  }
  to.dispose();
}

for (const [name, make] of Object.entries(kinds)) {
  for (const options of [plane, volume]) {
    const where = options === plane ? "in the plane" : "in space";
    Deno.test(`${name} ${where} starts from a Gaussian of sum 1, which it hands out beside what it has learned`, async () => {
      using h = make(options);
      const start = valuesOf(() => h.kernel());
      near(start.reduce((a, b) => a + b), 1);
      ok(start.every((value) => value >= 0));
      deepStrictEqual(valuesOf(() => h.averaged()), start);
      const middle = (start.length - 1) / 2;
      strictEqual(start.indexOf(Math.max(...start)), middle);
      // Neighbours of a Gaussian of 1.4 pixels; the mixture has a little of its other widths.
      near(start[middle + 1] / start[middle], Math.exp(-1 / (2 * 1.4 ** 2)), 0.06);
      const target = Float32Array.from(start, (_, i) => i === middle ? 1 : 0);
      learn(h, target, 30, 0.05);
      const { kernel, "kernel-initial": initial } = await h.learned();
      start.forEach((value, i) => near(initial.data[i], value));
      near(kernel.data.reduce((a, b) => a + b), 1);
      ok(kernel.data[middle] > 1.2 * start[middle], `${kernel.data[middle]} from ${start[middle]}`);
    });
  }

  Deno.test(`${name}'s average is the mean of its first steps, and then forgets`, () => {
    using h = make(plane);
    const target = valuesOf(() => h.kernel()).map((_, i) => i === 40 ? 1 : 0);
    const seen: Float32Array[] = [];
    for (let step = 0; step < 6; step++) {
      learn(h, target, 1, 0.1);
      seen.push(valuesOf(() => h.kernel()));
    }
    // Means of 1, 2, 3 and 4 steps; then a quarter of the newest and three of what was.
    let expected = seen.slice(0, 4).map((kernel) => kernel[40]).reduce((a, b) => a + b) / 4;
    for (const kernel of seen.slice(4)) expected += (kernel[40] - expected) / 4;
    near(valuesOf(() => h.averaged())[40], expected);
  });

  Deno.test(`${name} refuses a shape that has no middle`, () => {
    throws(() => make({ ...plane, shape: [8, 9, 1] }), /cannot have the shape \[8,9,1\][^]*odd/);
    throws(() => make({ ...plane, shape: [9, 9] }), /cannot have the shape/);
  });
}

Deno.test("‖h‖₁ holds the sum of a free kernel's values, of whatever sign, and is no force on others", () => {
  using free = freeKernel(plane);
  const target = valuesOf(() => free.kernel()).map((value, i) => i === 0 ? -1 : value);
  learn(free, target, 300, 0.02);
  const none = tf.scalar(0.5);
  near(valuesOf(() => kernelLoss(free, none, { sparsity: 10 }))[0], 0.5 + 10 * 2, 0.05);
  near(valuesOf(() => kernelLoss(free, none, { sparsity: 0 }))[0], 0.5);
  using mixture = gaussianMixture(plane);
  near(valuesOf(() => kernelLoss(mixture, none, { sparsity: 10 }))[0], 10.5);
  none.dispose();
});

Deno.test("a mixture of Gaussians has the shares that it is set to, after any number of steps", () => {
  using h = gaussianMixture(plane);
  learn(h, valuesOf(() => h.kernel()).map(() => 0), 3, 0.1);
  h.setShares(h.widths.map(({ lateral }) => lateral === 2 ? 1 : 1e-12));
  const kernel = valuesOf(() => h.kernel());
  near(kernel[41] / kernel[40], Math.exp(-1 / 8), 0.02);
  deepStrictEqual(valuesOf(() => h.averaged()), kernel);
});

Deno.test("patches of halves and quarters hold every pixel once, and the whole is itself", () => {
  const x = tf.tensor4d(Array.from({ length: 2 * 8 * 8 * 1 }, (_, i) => i), [2, 8, 8, 1]);
  for (const [parts, shape] of [[1, [2, 8, 8, 1]], [2, [8, 4, 4, 1]], [4, [32, 2, 2, 1]]] as const) {
    const cut = patches(x, parts);
    deepStrictEqual(cut.shape, shape);
    deepStrictEqual(cut.dataSync().toSorted(), x.dataSync());
    // Neighbours stay neighbours.
    const [a, b] = cut.dataSync();
    strictEqual(b - a, 1);
    cut.dispose();
  }
  x.dispose();
  const ragged = tf.ones<tf.Rank.R4>([1, 9, 7, 1]);
  deepStrictEqual(tf.tidy(() => patches(ragged, 2).shape), [4, 4, 3, 1]);
  ragged.dispose();
  const cube = tf.ones([1, 4, 4, 4, 1]) as unknown as tf.Tensor4D;
  deepStrictEqual(tf.tidy(() => patches(cube, 2).shape), [8, 2, 2, 2, 1]);
  cube.dispose();
});

const form = convolutionForm([40, 40, 1], [9, 9, 1]);
const camera = { photons: 200, readNoise: 4 };
const noise = noiseOf(camera);

/** Blobs of random width and place on a dark ground. */
function blobs(name: string, count: number): Image[] {
  const rng = stream(`kernel/${name}`);
  return Array.from({ length: count }, () => {
    const data = new Float32Array(sizeOf(form.imageShape));
    for (let blob = 0; blob < 12; blob++) {
      const [row, column, width] = [40 * rng.uniform(), 40 * rng.uniform(), 0.7 + rng.uniform()];
      data.forEach((value, i) => {
        const square = (Math.floor(i / 40) - row) ** 2 + (i % 40 - column) ** 2;
        data[i] = value + Math.exp(-square / (2 * width ** 2));
      });
    }
    return { shape: form.imageShape, data };
  });
}

/** Images blurred by a Gaussian of so many pixels, and photographed. */
function photographs(images: readonly Image[], sigma: number): Image[] {
  using h = gaussianMixture({ shape: form.kernelShape, start: { lateral: 1, axial: 1 }, averaging: 1 });
  h.setShares(h.widths.map(({ lateral }) => lateral === sigma ? 1 : 1e-12));
  const operator = form.operator(() => h.averaged());
  const rng = stream("kernel/camera");
  return images.map(({ data, shape }, i) => ({
    shape: form.measurementShape,
    data: photographed(
      valuesOf(() => operator.forward(tf.tensor(data, [1, ...shape]))),
      camera,
      rng.stream(`${i}`),
    ),
  }));
}

async function* each(images: readonly Image[]): AsyncGenerator<Image> {
  for (const image of images) yield await Promise.resolve(image);
}

for (const sigma of [1, 2]) {
  Deno.test(`a blur of ${sigma} pixels is found by the spectra of images and of other images' photographs`, async () => {
    using h = gaussianMixture({ ...plane, start: { lateral: 1, axial: 1 } });
    const shares = await matchedShares(
      each(blobs("x", 40)),
      each(photographs(blobs("y", 40), sigma)),
      h,
    );
    near(shares.reduce((a, b) => a + b), 1);
    h.setShares(shares);
    const { kernel } = await h.learned();
    using truth = gaussianMixture(plane);
    truth.setShares(h.widths.map(({ lateral }) => lateral === sigma ? 1 : 1e-12));
    const found = pearson(kernel, (await truth.learned()).kernel) as number;
    ok(found > 0.98, `${found}`);
  });
}

Deno.test("spectra of nothing, and of images that are smaller than measurements, are refused", async () => {
  using h = gaussianMixture(plane);
  await rejects(matchedShares(each([]), each([]), h), /no measurement whose spectrum/);
  const large = [{ shape: [48, 48, 1], data: new Float32Array(48 * 48).fill(1) }];
  await rejects(matchedShares(each(blobs("x", 1)), each(large), h), /no image of \[48,48\] pixels or more/);
});

Deno.test("what G is shown in place of measurements has the camera's noise, where that is calibrated", () => {
  tf.tidy(() => {
    const A = form.operator(() => tf.ones([9, 9, 1]));
    const x = tf.fill<tf.Rank.R4>([2, 40, 40, 1], 1 / 81);
    const random = {
      uniform: () => tf.zeros([1, 1, 1, 1]) as tf.Tensor4D,
      normal: (shape: readonly number[]) =>
        tf.fill([...shape] as number[] as [number, number, number, number], 1) as tf.Tensor4D,
    };
    const batch = { x, y: x, A, see: (y: tf.Tensor) => y as tf.Tensor4D, random };
    const plain = measuredWithNoise(A, batch);
    deepStrictEqual(plain.shape, [2, ...form.measurementShape]);
    near(plain.dataSync()[5], 1);
    const noisy = measuredWithNoise(A, { ...batch, noise });
    deepStrictEqual(noisy.dataSync(), noise.add(plain, tf.onesLike(plain)).dataSync());
    ok(noisy.dataSync()[5] > 1.05);
  });
});

/** Unmatched batches of blobs and of blurred blobs, always the same for the same name. */
function blurredBatches(name: string, sigma = 2): () => Promise<Batch> {
  const images = blobs(`${name}/x`, 8);
  const measurements = photographs(blobs(`${name}/y`, 8), sigma);
  let drawn = 0;
  const tensor = ({ data, shape }: Image) => tf.tensor<tf.Rank>(data, [1, ...shape]) as tf.Tensor4D;
  const A = form.operator(() => tf.fill([9, 9, 1], 1 / 81));
  return () => {
    const at = drawn++ % 8;
    return Promise.resolve({
      x: tensor(images[at]),
      y: tensor(measurements[at]),
      A,
      form,
      noise,
      see: (y) => tf.pad(y, [[0, 0], [4, 4], [4, 4], [0, 0]]) as tf.Tensor4D,
    });
  };
}

function prepared(method: Method, overrides: Overrides = {}): Learner {
  const { imageShape, measurementShape } = form;
  const problem = { imageShape, seenShape: imageShape, measurementShape, form, updates: 40, batch: 1 };
  const own = Object.entries({ ...small, kernelImages: 2, ...overrides }).filter(([name]) =>
    name in method.settings
  );
  return method.prepare(
    problem,
    resolve(method.settings, Object.fromEntries(own), method.name),
    stream("kernel"),
  );
}

async function train(learner: Learner, updates: number, draw: () => Promise<Batch>) {
  for (let update = 0; update < updates; update++) await learner.update!(draw, update / updates);
}

async function hash(learner: Learner): Promise<string> {
  return sha256(
    ...(await learner.weights()).flatMap(({ name, data }) => [name, new Uint8Array(data.buffer)]),
  );
}

for (
  const [method, overrides] of [
    [otCycleGanKnownPsf, { loss: "l1" }],
    [otCycleGanPatchesLsgan, {}],
    [otCycleGanBlind, {}],
    [otCycleGanBlind, { kernelKind: "softmax" }],
    [otCycleGanBlind, { kernelKind: "free", sparsity: 0.1 }],
    [otCycleGanBlindLsgan, {}],
    [spectrumMatching, {}],
  ] as const
) {
  Deno.test(`${method.name} with a camera's noise is replayed to the bit of the tape, ${JSON.stringify(overrides)}`, async () => {
    const trained = async () => {
      using learner = prepared(method, overrides);
      await train(learner, 8, blurredBatches("replayed"));
      return await hash(learner);
    };
    const replayed = await trained();
    await startBackend({ replay: false });
    strictEqual(await trained(), replayed);
    await startBackend();
  });
}

Deno.test("ot-cyclegan-blind goes on from a state with the average of its kernel", async () => {
  using whole = prepared(otCycleGanBlind);
  const draw = blurredBatches("resumed");
  await train(whole, 3, draw);
  const state = await whole.state!();
  using resumed = prepared(otCycleGanBlind);
  resumed.restore!(state);
  const [expected, got] = [await whole.learned!(), await resumed.learned!()];
  deepStrictEqual(got, expected);
  ok(got.kernel.data.some((value, i) => value !== got["kernel-initial"].data[i]));
});

Deno.test("methods that learn a kernel refuse a problem without one, and a batch without a form", async () => {
  const { imageShape, measurementShape } = form;
  const problem = { imageShape, seenShape: imageShape, measurementShape, updates: 1, batch: 1 };
  for (const method of [otCycleGanBlind, otCycleGanBlindLsgan, spectrumMatching] as Method[]) {
    throws(
      () => method.prepare(problem, resolve(method.settings, {}, method.name), stream("none")),
      new RegExp(`${method.name} learns the kernel of a convolution, and this benchmark has none`),
    );
    using learner = prepared(method);
    const draw = blurredBatches("formless");
    await rejects(
      learner.update!(async () => ({ ...await draw(), form: undefined }), 0),
      /knows the operator's form, but was given a batch without one/,
    );
  }
});
