/** Learned noise: the generator of it, the critic that sees it, and its spectrum from unmatched images. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { type Image, sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { resolve } from "../core/settings.ts";
import { startBackend } from "../engine/backend.ts";
import type { Batch } from "../methods/method.ts";
import { noiseMatching } from "../methods/noise_matching.ts";
import { matchedNoise } from "../methods/noise_spectrum.ts";
import { highPass } from "../methods/networks/high_pass.ts";
import type { Network, Normal } from "../methods/networks/network.ts";
import {
  allShares,
  kernelSide,
  noiseGenerator,
  type NoiseGeneratorOptions,
  powerSpectrum,
} from "../methods/networks/noise_generator.ts";
import { otCycleGanNoImageCritic } from "../methods/ot_cyclegan_no_image_critic.ts";

await startBackend();

const white: NoiseGeneratorOptions = { channels: 1, deviation: 0.3, size: [64, 64], averaging: 0.01 };

function normals(name: string): Normal {
  const rng = stream(`noise/${name}`);
  return (shape) => tf.tensor4d(Float32Array.from({ length: sizeOf(shape) }, rng.normal), [...shape]);
}

/** F's output for a constant image. */
function noiseOn(level: number, side: number, options: Partial<NoiseGeneratorOptions> = {}): Float32Array {
  using F = noiseGenerator({ ...white, ...options });
  return tf.tidy(() => F.apply(tf.fill([1, side, side, 1], level), normals("on")).dataSync<"float32">());
}

function deviationOf(values: ArrayLike<number>): number {
  const all = Array.from(values);
  const mean = all.reduce((a, b) => a + b) / all.length;
  return Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length);
}

Deno.test("a noise generator's bands divide every frequency among them", () => {
  for (const shares of allShares) {
    ok(shares.every((share) => share >= 0));
    ok(Math.abs(shares.reduce((a, b) => a + b) - 1) < 1e-12);
  }
  // The highest frequency of rows belongs to the last ring of its direction alone; opposite frequencies have equal shares.
  const highest = allShares[Math.floor(kernelSide / 2)];
  ok(highest[3] > 0.75 && highest[3] + highest[2] > 1 - 1e-12, String(highest));
  deepStrictEqual(
    allShares[1].map((share) => share.toFixed(9)),
    allShares[kernelSide - 1].map((share) => share.toFixed(9)),
  );
});

Deno.test("powerSpectrum() keeps the sum of squares, and puts a wave at its own frequency", () => {
  const rng = stream("noise/parseval");
  const values = Array.from({ length: kernelSide ** 2 }, rng.normal);
  const sum = (list: ArrayLike<number>) => Array.from(list).reduce((a, b) => a + b, 0);
  ok(Math.abs(sum(powerSpectrum(values)) / kernelSide ** 2 - sum(values.map((value) => value ** 2))) < 1e-9);
  const wave = powerSpectrum(values.map((_, place) => {
    const [row, column] = [Math.floor(place / kernelSide), place % kernelSide];
    return Math.cos(2 * Math.PI * (2 * row + 3 * column) / kernelSide);
  }));
  const at = [2 * kernelSide + 3, (kernelSide - 2) * kernelSide + kernelSide - 3];
  wave.forEach((power, place) => ok(Math.abs(power - (at.includes(place) ? kernelSide ** 4 / 4 : 0)) < 1e-6));
});

Deno.test("a noise generator starts with white noise of its deviation, up to the border", () => {
  const values = noiseOn(2, 64);
  ok(Math.abs(deviationOf(values) / 0.3 - 1) < 0.03, `${deviationOf(values)}`);
  ok(Math.abs(deviationOf(values.subarray(0, 128)) / 0.3 - 1) < 0.2);
  let product = 0;
  for (let i = 0; i < values.length - 1; i++) {
    product += (values[i] - 2) * (values[i + 1] - 2) / values.length;
  }
  ok(Math.abs(product) < 0.05 * 0.09, `neighbours are correlated by ${product}`);
});

Deno.test("what was clipped from below is given no noise, and nothing leaves the range", () => {
  const range = { low: 0, high: 4 };
  strictEqual(Math.max(...noiseOn(0, 32, { range }).map(Math.abs)), 0);
  const bright = noiseOn(3.9, 32, { range });
  ok(Math.max(...bright) === 4 && Math.min(...bright) < 3.7);
  ok(Math.abs(deviationOf(noiseOn(2, 64, { range })) / 0.3 - 1) < 0.03);
  // Half of the noise at half of the way up.
  ok(Math.abs(deviationOf(noiseOn(0.05, 64, { range, deviation: 0.01 })) / 0.005 - 1) < 0.03);
});

Deno.test("noise grows with the mean of what is around, which ends at the border", () => {
  const range = { low: 0, high: 4 };
  using F = noiseGenerator({ ...white, range, deviation: 0.05, size: [32, 32] });
  strictEqual(F.surroundings, 6);
  F.setGrowth(0.5);
  const noiseAt = (level: number) =>
    tf.tidy(() => {
      const x = tf.fill<tf.Rank.R4>([1, 32, 32, 1], level);
      return tf.sub(F.apply(x, normals("grows")), x).dataSync<"float32">();
    });
  // β·(s − c) with c = 1, and the same noise otherwise, in the middle as in the corner.
  const [low, high] = [noiseAt(1), noiseAt(2.5)];
  low.forEach((value, i) => ok(Math.abs(high[i] - value * Math.exp(0.75)) < 1e-5));
  // Right of an edge between 1 and 3 half of the square, that is 6 of 13 columns, is lower.
  const edge = tf.tensor4d(Float32Array.from({ length: 32 * 32 }, (_, i) => i % 32 < 16 ? 1 : 3), [
    1,
    32,
    32,
    1,
  ]);
  const noise = tf.tidy(() => tf.sub(F.apply(edge, normals("grows")), edge).dataSync());
  const at = 10 * 32 + 16;
  ok(Math.abs(noise[at] / low[at] - Math.exp(0.5 * (3 - 2 * 6 / 13 - 1))) < 1e-3);
  edge.dispose();
});

Deno.test("channels are given noise of their own", () => {
  using F = noiseGenerator({ ...white, channels: 2 });
  const noise = tf.tidy(() => F.apply(tf.zeros([1, 64, 64, 2]), normals("channels")).dataSync<"float32">());
  const [first, second] = [0, 1].map((channel) => noise.filter((_, i) => i % 2 === channel));
  const correlation = first.reduce((sum, value, i) => sum + value * second[i], 0) / first.length / 0.09;
  ok(Math.abs(correlation) < 0.06, `${correlation}`);
  ok(Math.abs(deviationOf(second) / 0.3 - 1) < 0.05);
});

Deno.test("the noise that is set has its bands' deviations, and says what it is", async () => {
  using F = noiseGenerator(white);
  const deviations = Array.from({ length: 16 }, (_, band) => band < 4 ? 0.2 : 1e-4);
  F.setDeviations(deviations);
  const { "noise-kernel": kernel, "noise-spectrum": spectrum } = await F.learned();
  const deviation = tf.tidy(() => F.deviation().dataSync()[0]);
  ok(Math.abs(Math.hypot(...kernel.data) - deviation) < 1e-6);
  // Its power is that of the bands at each frequency, 0 being in the middle.
  const middle = Math.floor(kernelSide / 2);
  for (const [row, column] of [[0, 0], [0, 3], [2, 0], [-3, 5]]) {
    const wrapped = (at: number) => (at + kernelSide) % kernelSide;
    const shares = allShares[wrapped(row) * kernelSide + wrapped(column)];
    const expected = shares.reduce((sum, share, band) => sum + share * deviations[band], 0) ** 2;
    const actual = spectrum.data[(middle + row) * kernelSide + middle + column];
    ok(Math.abs(actual - expected) < 1e-6, `${row}, ${column}: ${actual} for ${expected}`);
  }
  const drawn = tf.tidy(() => F.apply(tf.zeros([1, 128, 128, 1]), normals("set")).dataSync());
  ok(Math.abs(deviationOf(drawn) / deviation - 1) < 0.05);
});

Deno.test("the average of gains is that of all steps at first, and then moves by its least weight", () => {
  using F = noiseGenerator({ ...white, averaging: 0.4 });
  const [gains, average] = F.weights.map(({ variable }) => variable);
  const seen = [4, 8, 0, 10].map((gain) => {
    gains.assign(tf.fill([16, 1], gain));
    F.settle!();
    return average.dataSync()[0];
  });
  // Weights 1, 1/2, and then 0.4.
  [4, 6, 3.6, 6.16].forEach((expected, i) => ok(Math.abs(seen[i] - expected) < 1e-5, String(seen)));
  const noisy = (name: "apply" | "averaged") =>
    tf.tidy(() => deviationOf(F[name](tf.zeros([1, 32, 32, 1]), normals("average")).dataSync()));
  ok(Math.abs(noisy("apply") / noisy("averaged") / Math.exp(10 - 6.16) - 1) < 1e-4);
});

Deno.test("the gradient of noise in its gains is the one that differences have", () => {
  using F = noiseGenerator({ ...white, range: { low: 0, high: 4 } });
  const [{ variable: gains }] = F.weights;
  const loss = () =>
    tf.tidy(() => tf.mean<tf.Scalar>(tf.square(F.apply(tf.fill([1, 12, 12, 1], 2), normals("gradient")))));
  const { grads } = tf.variableGrads(loss, [gains as tf.Variable]);
  const slope = Object.values(grads)[0].dataSync();
  for (const band of [0, 5, 11, 15]) {
    const [up, down] = [0.01, -0.01].map((step) => {
      gains.assign(tf.tensor2d(Array.from({ length: 16 }, (_, i) => i === band ? step : 0), [16, 1]));
      return loss().dataSync()[0];
    });
    const expected = (up - down) / 0.02;
    ok(Math.abs(slope[band] - expected) < 1e-4 + 0.02 * Math.abs(expected), `${slope[band]} for ${expected}`);
  }
  tf.dispose(grads);
});

Deno.test("a critic behind a high pass sees no constant and no slope, and noise nearly twice as large", () => {
  const plain: Network = {
    weights: [],
    apply: (x) => tf.clone(x),
    macs: ([height, width]) => height * width,
    [Symbol.dispose]: () => {},
  };
  using critic = highPass(plain, [16, 16, 2]);
  const seen = (image: tf.Tensor4D) => tf.tidy(() => critic.apply(image).dataSync());
  const plane = tf.tensor4d(Float32Array.from({ length: 2 * 20 * 20 }, (_, i) => 3 + 0.1 * (i >> 1)), [
    1,
    20,
    20,
    2,
  ]);
  ok(Math.max(...seen(plane).map(Math.abs)) < 1e-4);
  // 2·√(1 − 2g(0) + Σg²) with the Gaussian of one pixel: 2·√(1 − 2·0.1594 + 0.0797).
  const deviation = deviationOf(seen(normals("high pass")([1, 128, 128, 2])));
  ok(Math.abs(deviation / 1.745 - 1) < 0.02, `${deviation}`);
  strictEqual(critic.macs([20, 10, 2]), 14 * 4 * (49 * 4 + 1));
  plane.dispose();
});

/** Images of discs over a clipped background; noisy ones have `noise` added where it is not clipped. */
async function* discs(
  count: number,
  name: string,
  noise?: (x: tf.Tensor4D) => tf.Tensor4D,
): AsyncGenerator<Image> {
  const rng = stream(`noise/discs/${name}`);
  for (let i = 0; i < count; i++) {
    const inner = Array.from(
      { length: 5 },
      () => [10 + 44 * rng.uniform(), 10 + 44 * rng.uniform(), rng.uniform() - 0.5],
    );
    const image = Float32Array.from({ length: 64 * 64 }, (_, place) => {
      const [row, column] = [Math.floor(place / 64), place % 64];
      if (Math.hypot(row - 31.5, column - 31.5) > 28) return 0;
      return 2 + inner.reduce((sum, [r, c, v]) => sum + (Math.hypot(row - r, column - c) < 7 ? v : 0), 0);
    });
    const data = noise === undefined
      ? image
      : tf.tidy(() => noise(tf.tensor4d(image, [1, 64, 64, 1])).dataSync<"float32">());
    yield await Promise.resolve({ shape: [64, 64, 1], data });
  }
}

const range = { low: 0, high: 4 };
/** Noise like that of filtered back-projection: little in low frequencies, more in one direction than in others. */
const coloured = Array.from(
  { length: 16 },
  (_, band) => [0.03, 0.1, 0.2, 0.25][band % 4] * (band < 4 ? 1.5 : 1),
);

/** Deviations of the noise that is found, as shares of those that there are. */
async function found(there: readonly number[], growth = 0, on = discs): Promise<number[]> {
  using F = noiseGenerator({ ...white, range });
  F.setDeviations(there);
  F.setGrowth(growth);
  const normal = normals("found");
  const noise = await matchedNoise(on(60, "x"), on(60, "y", (x) => F.apply(x, normal)), F);
  ok(Math.abs(noise.growth - growth) < 0.2, `growth ${noise.growth} for ${growth}`);
  return noise.deviations.map((deviation, band) => deviation / there[band]);
}

function assertWithin(ratios: readonly number[], least: number, most: number) {
  ok(
    ratios.every((ratio) => ratio >= least && ratio <= most),
    ratios.map((ratio) => ratio.toFixed(2)).join(" "),
  );
}

const lowPass = Array.from({ length: 16 }, (_, band) => [0.3, 0.1, 0.05, 0.03][band % 4]);

Deno.test("the spectrum of noise is found from unmatched images and measurements", async () => {
  const ratios = await found(coloured, 0.4);
  assertWithin(ratios.filter((_, band) => band % 4 > 0), 0.75, 1.3);
  // A tenth of the noise's deviation, and less than the anatomy's: known to be small, and no more.
  assertWithin(ratios.filter((_, band) => band % 4 === 0), 0, 3);
});

Deno.test("white noise is found in all bands, on what is flat and on what is not", async () => {
  const flat: typeof discs = async function* (count, _name, noise) {
    const image = tf.fill<tf.Rank.R4>([1, 64, 64, 1], 2);
    for (let i = 0; i < count; i++) {
      const data = tf.tidy(() => (noise?.(image) ?? image).dataSync<"float32">());
      yield await Promise.resolve({ shape: [64, 64, 1], data });
    }
    image.dispose();
  };
  assertWithin(await found(coloured.map(() => 0.3), 0, flat), 0.75, 1.3);
  // Anatomy makes the lowest ring less certain.
  assertWithin(await found(coloured.map(() => 0.3)), 0.65, 1.4);
});

Deno.test("noise that a smooth kernel leaves is found, most of it in low frequencies", async () => {
  assertWithin(await found(lowPass), 0.65, 1.4);
});

Deno.test("images without a block above the range have no spectrum, which is said", async () => {
  const empty = async function* () {
    yield await Promise.resolve({ shape: [20, 20, 1], data: new Float32Array(400) });
  };
  await rejects(
    matchedNoise(empty(), empty(), { range, surroundings: 12 }),
    /15x15 pixels above the lower end of the window/,
  );
});

Deno.test("noise-matching measures its noise before it trains, and shows it", async () => {
  using F = noiseGenerator({ ...white, range });
  F.setDeviations(coloured);
  const normal = normals("fitted");
  const shape = [64, 64, 1];
  const problem = {
    imageShape: shape,
    seenShape: shape,
    measurementShape: shape,
    range,
    updates: 1,
    batch: 1,
  };
  using learner = noiseMatching.prepare(
    problem,
    resolve(noiseMatching.settings, {}, "test"),
    stream("fitted"),
  );
  await learner.fit!(discs(60, "x"), discs(60, "y", (x) => F.apply(x, normal)));
  const { "noise-kernel": kernel } = await learner.learned!();
  const deviation = tf.tidy(() => F.deviation().dataSync()[0]);
  ok(Math.abs(Math.hypot(...kernel.data) / deviation - 1) < 0.15);
});

Deno.test("a critic of detail brings F nearer to the level of the noise, from above and from below", async () => {
  const rng = stream("noise/learned");
  const side = 32;
  const normal = normals("learned");
  const image = () =>
    tf.tidy(() => {
      const [row, column] = [8 + 16 * rng.uniform(), 8 + 16 * rng.uniform()];
      const disc = Float32Array.from(
        { length: side * side },
        (_, i) => 1 + (Math.hypot(Math.floor(i / side) - row, i % side - column) < 6 ? 1 : 0),
      );
      return tf.tensor4d(disc, [1, side, side, 1]);
    });
  const draw = (): Promise<Batch> =>
    Promise.resolve({
      x: image(),
      y: tf.tidy(() => tf.add(image(), tf.mul(normal([1, side, side, 1]), 0.2))) as tf.Tensor4D,
      A: undefined,
      see: (y) => tf.clone(y) as tf.Tensor4D,
    });
  const shape = [side, side, 1];
  const problem = { imageShape: shape, seenShape: shape, measurementShape: shape, updates: 400, batch: 1 };
  for (const noise of [0.08, 0.5]) {
    const settings = resolve(otCycleGanNoImageCritic.settings, {
      noise,
      noiseRate: 1e-2,
      width: 4,
      levels: 1,
    }, "test");
    using learner = otCycleGanNoImageCritic.prepare(problem, settings, stream("learned"));
    for (let update = 0; update < 400; update++) await learner.update!(draw, update / 400);
    const batch = await draw();
    const { "noise-deviation": deviation } = await learner.monitor!(batch);
    tf.dispose([batch.x, batch.y]);
    ok(
      Math.abs(Math.log(deviation / 0.2)) < 0.5 * Math.abs(Math.log(noise / 0.2)),
      `${deviation} from ${noise}`,
    );
  }
});
