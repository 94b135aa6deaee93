import * as tf from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import { sizeOf } from "../core/image.ts";
import { emitterImage, emitterSum, type Points, rendered } from "../core/points.ts";
import { stream } from "../core/random.ts";
import { resolve } from "../core/settings.ts";
import { startBackend } from "../engine/backend.ts";
import { LevelsOfStack } from "../datasets/levels.ts";
import { input, Replay } from "../engine/replay.ts";
import {
  blurSigma,
  gaussianKernel,
  localisationMicroscopy,
  localisationSettings,
} from "../physics/localisation_microscopy.ts";
import { withNorm } from "../physics/norm.ts";
import type { Measurable } from "../physics/acquisition.ts";
import type { Shape } from "../physics/operator.ts";
import { seenFinely, superResolution, superResolutionForm } from "../physics/super_resolution.ts";

await startBackend();

function noise(name: string, shape: Shape): tf.Tensor {
  const rng = stream(name);
  return tf.tensor(Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()), [...shape]);
}

function inner(a: tf.Tensor, b: tf.Tensor): number {
  const [values, others] = [Float64Array.from(a.dataSync()), b.dataSync()];
  return values.reduce((sum, value, i) => sum + value * others[i], 0);
}

function near(actual: number, expected: number, tolerance: number, what = "") {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what} ${actual}, not ${expected} ± ${tolerance}`);
}

const grids = [
  { size: [5, 7], factor: 4, reach: 3 },
  { size: [6, 4], factor: 3, reach: 1 },
  { size: [4, 4], factor: 1, reach: 2 },
] as const;

for (const grid of grids) {
  const form = superResolutionForm(grid);
  const { imageShape, measurementShape, kernelShape } = form;
  const where = `on a grid ${grid.factor} times finer`;

  Deno.test(`blur and coarse pixels ${where} are the sum that their definition says`, () => {
    const { factor } = grid;
    const [, columns] = imageShape;
    const [side] = kernelShape;
    const [x, h] = [noise("x", imageShape), noise("h", kernelShape)];
    const [image, kernel] = [x.dataSync(), h.dataSync()];
    const A = superResolution(grid, { shape: kernelShape, data: Float32Array.from(kernel) });
    const y = A.forward(tf.expandDims(x));
    const [height, width] = measurementShape;
    const seen = y.dataSync();
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        let sum = 0;
        for (let row = 0; row < factor; row++) {
          for (let column = 0; column < factor; column++) {
            for (let v = 0; v < side; v++) {
              for (let w = 0; w < side; w++) {
                const at = (i * factor + row + side - 1 - v) * columns + j * factor + column + side - 1 - w;
                sum += kernel[v * side + w] * image[at];
              }
            }
          }
        }
        near(seen[i * width + j], sum, 2e-4 * Math.sqrt(side * side * factor));
      }
    }
    tf.dispose([x, h, y]);
  });

  Deno.test(`blur and coarse pixels ${where}: image and measurement are partners, and so are kernel and gradient`, () => {
    const [x, y] = [noise("x", [2, ...imageShape]), noise("y", [2, ...measurementShape])];
    const [h, other] = [noise("h", kernelShape), noise("other", kernelShape)];
    const A = form.operator(() => tf.clone(h));
    const [forward, adjoint] = [A.forward(x), A.adjoint(y)];
    const left = inner(forward, y);
    near(inner(x, adjoint), left, 1e-4 * Math.abs(left) + 1e-3);
    // ⟨A x, y⟩ is linear in the image and in the kernel, so its gradients are what makes it.
    const inImage = tf.grad((x) => tf.sum(tf.mul(A.forward(x), y)))(x);
    near(inner(tf.sub(inImage, adjoint), tf.sub(inImage, adjoint)), 0, 1e-6);
    const inKernel = tf.grad((h) => tf.sum(tf.mul(form.operator(() => tf.clone(h)).forward(x), y)))(h);
    const changed = inner(form.operator(() => tf.clone(other)).forward(x), y);
    near(inner(inKernel, other), changed, 1e-4 * Math.abs(changed) + 1e-3);
    tf.dispose([x, y, h, other, forward, adjoint, inImage, inKernel]);
  });
}

Deno.test("light is neither lost nor gained where the image is dark around, and no image gains more than the norm says", async () => {
  const A = superResolution({ size: [12, 12], factor: 4, reach: 3 }, gaussianKernel(5.1, [25, 25]));
  const image = tf.pad(tf.abs(noise("light", [1, 24, 24, 1])), [[0, 0], [24, 24], [24, 24], [0, 0]]);
  near(tf.sum(A.forward(image)).dataSync()[0] / tf.sum(image).dataSync()[0], 1, 1e-5);
  near(A.norm!, 4, 1e-4);
  const { norm } = await withNorm(A);
  assert.ok(norm! < A.norm! * 1.01 && norm! > A.norm! * 0.9, `${norm}`);
});

Deno.test("what a network sees of a frame is the frame between its pixels, and keeps its border's value beyond them", () => {
  const A = superResolution({ size: [6, 5], factor: 4, reach: 2 }, gaussianKernel(2, [17, 17]));
  const ramp = tf.tensor(Float32Array.from({ length: 30 }, (_, i) => 10 * Math.floor(i / 5) + i % 5), [
    1,
    6,
    5,
    1,
  ]);
  const seen = seenFinely(ramp, A);
  assert.deepEqual(seen.shape, [1, 40, 36, 1]);
  const values = seen.dataSync();
  const within = (place: number, most: number) => Math.min(most, Math.max(0, place));
  for (let row = 0; row < 40; row++) {
    for (let column = 0; column < 36; column++) {
      const [down, across] = [(row + 0.5) / 4 - 2.5, (column + 0.5) / 4 - 2.5];
      near(values[row * 36 + column], 10 * within(down, 5) + within(across, 4), 1e-4);
    }
  }
  const inverse = A.approximateInverse!(tf.ones([1, 6, 5, 1]));
  near(A.forward(inverse).dataSync()[7], 1, 1e-5);
});

Deno.test("a training step through a learned blur gives the same numbers replayed as recorded", () => {
  const grid = { size: [8, 8], factor: 4, reach: 2 } as const;
  const form = superResolutionForm(grid);
  const logits = tf.variable(noise("logits", form.kernelShape));
  const A = form.operator(() => tf.div(tf.exp(logits), tf.sum(tf.exp(logits))));
  const step = (x: tf.Tensor) => {
    const { value, grads } = tf.variableGrads(() => {
      const y = A.forward(x);
      return tf.add(tf.mean(tf.square(y)), tf.mean(tf.square(A.approximateInverse!(y)))) as tf.Scalar;
    }, [logits as tf.Variable]);
    return tf.concat([tf.reshape(value, [1]), tf.reshape(Object.values(grads)[0], [-1])]);
  };
  using replay = new Replay("blur");
  let x: tf.Tensor;
  for (let run = 0; run < 4; run++) {
    x = noise(`x ${run}`, [1, ...form.imageShape]);
    const replayed = replay.run([], () => step(input(() => x)));
    const plain = tf.tidy(() => step(x));
    assert.deepEqual(replayed.dataSync(), plain.dataSync());
    tf.dispose([x, replayed, plain]);
  }
  assert.equal(replay.counts.replayed, 2);
  logits.dispose();
});

const settings = resolve(localisationSettings, {}, "test");

/** A point in the middle of a frame of `side` camera pixels, and where it falls within its pixel. */
function spot(side: number, brightness = 1, offNm = 50): Points {
  const place = Float64Array.of(100 * Math.floor(side / 2) + offNm);
  return { xNm: place, yNm: place, brightness: Float64Array.of(brightness) };
}

function sampleOf(emitters: Points, side: number, more = {}) {
  const shape = [(side + 6) * 4, (side + 6) * 4, 1];
  return {
    id: "0",
    subject: "s",
    image: { shape, data: new Float32Array(sizeOf(shape)) },
    emitters,
    ...more,
  };
}

Deno.test("an averaged spot has the σ of the optics and of the camera's pixels, and every photon of its emitter", async () => {
  const side = 17;
  const acquisition = localisationMicroscopy({ ...settings, readNoise: 0 }, "test");
  const sum = new Float64Array(side * side);
  const runs = 400;
  for (let run = 0; run < runs; run++) {
    const { measurement } = await acquisition.measure(sampleOf(spot(side), side), stream(`spot ${run}`));
    measurement.data.forEach((value, i) => sum[i] += value / runs);
  }
  const light = sum.reduce((total, value) => total + value);
  near(light / emitterSum, 1, 0.01, "light");
  const moment = sum.reduce((total, value, i) => total + value * (i % side + 0.5 - 8.5) ** 2, 0) / light;
  // 1.3² and 1/12 camera pixels², in fine pixels, less what the image's spots have of their own: 5.22.
  const effective = Math.sqrt(16 * moment - 1 - 1 / 12);
  near(effective, Math.sqrt(blurSigma(130, 100, 4) ** 2 + 15 / 12), 0.12, "σ");
  near(effective, 5.22, 0.12);
});

Deno.test("the operator makes of an image what the optics make of its emitters, but for the tails beyond its reach", () => {
  const [side, rng] = [16, stream("scene")];
  const place = () => Float64Array.from({ length: 80 }, () => 2200 * rng.uniform() - 300);
  const emitters = { xNm: place(), yNm: place() };
  const { xNm, yNm } = emitters;
  const far = { xNm: xNm.map((x) => x + 300), yNm: yNm.map((y) => y + 300) };
  const image = emitterImage(far, { height: 88, width: 88, pixelNm: 25 });
  for (const [reach, tolerance] of [[3, 0.04], [4, 0.01]]) {
    const shift = (points: Float64Array) => points.map((value) => value + (reach - 3) * 100);
    const grid = { size: [side, side], factor: 4, reach } as const;
    const sharp = emitterImage({ xNm: shift(far.xNm), yNm: shift(far.yNm) }, {
      height: (side + 2 * reach) * 4,
      width: (side + 2 * reach) * 4,
      pixelNm: 25,
    });
    if (reach === 3) assert.deepEqual(sharp, image);
    const A = superResolution(grid, gaussianKernel(blurSigma(130, 100, 4), [8 * reach + 1, 8 * reach + 1]));
    const y = A.forward(tf.tensor(sharp.data, [1, ...sharp.shape]));
    const truth = rendered(emitters, { height: side, width: side, pixelNm: 100, sigmaNm: 130 });
    const expected = tf.mul(tf.tensor(truth.data, y.shape), emitterSum);
    const error = tf.sub(y, expected);
    near(Math.sqrt(inner(error, error) / inner(expected, expected)), 0, tolerance, `reach ${reach}`);
  }
});

for (const [camera, excess] of [["emccd", 2], ["scmos", 1]] as const) {
  Deno.test(`noise of an ${camera}: the mean is what was expected, the variance ${excess} times the photons'`, async () => {
    const acquisition = localisationMicroscopy({ ...settings, camera }, "test");
    const [side, runs] = [5, 3000];
    const sums = [new Float64Array(side * side), new Float64Array(side * side)];
    for (let run = 0; run < runs; run++) {
      const { measurement } = await acquisition.measure(
        sampleOf(spot(side), side),
        stream(`${camera} ${run}`),
      );
      measurement.data.forEach((value, i) => {
        sums[0][i] += value / runs;
        sums[1][i] += value ** 2 / runs;
      });
    }
    const expected = rendered(spot(side), { height: side, width: side, pixelNm: 100, sigmaNm: 130 });
    const photons = 1000 / emitterSum;
    for (const i of [0, 6, 12]) {
      const counted = 1000 * expected.data[i] + 10;
      const variance = (excess * counted + 4) / photons ** 2;
      near(sums[0][i], expected.data[i] * emitterSum, 4 * Math.sqrt(variance / runs), "mean");
      near((sums[1][i] - sums[0][i] ** 2) / variance, 1, 0.15, "variance");
    }
  });
}

Deno.test("the same stream gives the same frame, another one another; emitters outside of the frame are no part of its truth", async () => {
  const acquisition = localisationMicroscopy(settings, "test");
  const outside = { xNm: Float64Array.of(-120, 400), yNm: Float64Array.of(300, 500) };
  const measured = async (name: string) => await acquisition.measure(sampleOf(outside, 8), stream(name));
  const [first, again, other] = [await measured("a"), await measured("a"), await measured("b")];
  assert.deepEqual(first.measurement, again.measurement);
  assert.notDeepEqual(first.measurement, other.measurement);
  assert.equal(first.operator, other.operator);
  assert.equal(first.noise, other.noise);
  assert.deepEqual(first.emitters, { xNm: Float64Array.of(400), yNm: Float64Array.of(500) });
  // Its light is there nevertheless: the first column is brighter than the last.
  const column = (at: number) =>
    first.measurement.data.reduce((sum, value, i) => sum + (i % 8 === at ? value : 0), 0);
  assert.ok(column(0) > column(7) + 0.3);
});

Deno.test("a measurement says how large the pixels of its image are where the data or the settings do, and the operator its optics", async () => {
  const sample = {
    ...sampleOf({ xNm: Float64Array.of(300), yNm: Float64Array.of(300) }, 8),
    acquisition: {},
  };
  const sized = { ...sample, acquisition: { pixelSizeNm: [160, 160] } };
  const measured = async (of: typeof sample, pixelNm = "") =>
    await localisationMicroscopy({ ...settings, pixelNm, psfSigmaNm: 200 }, "test").measure(of, stream("a"));
  assert.equal((await measured(sample)).pixelNm, undefined);
  assert.deepEqual((await measured(sized)).pixelNm, [40, 40]);
  const { pixelNm, operator } = await measured(sized, "120");
  assert.deepEqual(pixelNm, [30, 30]);
  assert.deepEqual([operator.settings.pixelNm, operator.settings.psfSigmaNm], [120, 200]);
});

Deno.test("a stack's counts become the brightness that its changes in time say", async () => {
  const [side, frames, gain, offset, photons] = [24, 200, 3, 120, 700];
  const rng = stream("stack");
  const camera = localisationMicroscopy({ ...settings, photons, camera: "scmos" }, "test");
  const watch = new LevelsOfStack(true);
  const pages: Float32Array[] = [];
  let counts: Float32Array = new Float32Array();
  let truth: Float32Array = new Float32Array();
  for (let frame = 0; frame < frames; frame++) {
    // The left half of the field is dark.
    const place = (from: number) =>
      Float64Array.from({ length: 12 }, () => from + (2500 - from) * rng.uniform());
    const emitters = { xNm: place(1200), yNm: place(-100) };
    const { measurement } = await camera.measure(sampleOf(emitters, side), rng.stream(`${frame}`));
    truth = measurement.data;
    counts = truth.map((value) => offset + gain * (value * photons / emitterSum + 10));
    watch.add(counts);
    pages.push(counts);
  }
  const levels = await watch.result(async function* () {
    yield* await Promise.resolve(pages);
  });
  const told = { ...settings, camera: "scmos", cameraGain: gain };
  const sample = {
    id: "199",
    subject: "stack",
    measurement: { shape: [side, side, 1], data: counts },
    acquisition: { ...levels, pixelSizeNm: [100, 100] } as NonNullable<Measurable["acquisition"]>,
  };
  const measure = async (told: typeof settings, more = {}) =>
    await localisationMicroscopy(told, "test").measure({ ...sample, ...more }, stream("none"));
  const { measurement, operator, noise: camerasNoise } = await measure(told);
  assert.deepEqual(operator.imageShape, [120, 120, 1]);
  const light = (values: Float32Array) => values.reduce((total, value) => total + value);
  near(light(measurement.data) / light(truth), 1, 0.12, "light");
  const given = await measure({ ...told, photons });
  given.measurement.data.forEach((value, i) => near(value, truth[i], 0.02));
  // Dark pixels count ten photons, and are read out with a noise of two.
  const dark = camerasNoise!.add(tf.zeros([1, 24, 24, 1]), noise("dark", [1, 24, 24, 1]) as tf.Tensor4D)
    .dataSync<"float32">();
  const variance = dark.reduce((sum, value) => sum + value ** 2, 0) / dark.length;
  near(variance * (photons / emitterSum) ** 2, 14, 4, "variance");
  const short = await measure({ ...told, photons, cameraOffset: offset }, {
    acquisition: { low: offset + 30, high: 900 },
  });
  short.measurement.data.forEach((value, i) => near(value, truth[i], 1e-4));
  await assert.rejects(measure(told, { acquisition: {} }), /nobody says how bright[^]*--set photons=N/);
});

Deno.test("frames, images and grids that cannot be are refused in words", async () => {
  const acquisition = localisationMicroscopy(settings, "test");
  const image = (shape: number[]) => ({ shape, data: new Float32Array(sizeOf(shape)) });
  const measured = (sample: object) =>
    acquisition.measure({ id: "7", subject: "s", ...sample }, stream("none"));
  await assert.rejects(measured({ image: image([90, 88, 1]) }), /shows no whole camera pixels[^]*sample "7"/);
  await assert.rejects(measured({ image: image([24, 24, 1]) }), /shows no whole camera pixels/);
  await assert.rejects(measured({ measurement: image([8, 8, 3]) }), /not \[8,8,3\]/);
  await assert.rejects(
    measured({ measurement: image([8, 8, 1]), image: image([32, 32, 1]) }),
    /give it as \[56,56,1\]/,
  );
  assert.throws(() => blurSigma(20, 100, 4), /σ 20 nm on fine pixels of 25 nm[^]*larger factor/);
  assert.throws(() => superResolutionForm({ size: [4, 0], factor: 4, reach: 3 }), /width 0[^]*at least 1/);
  assert.throws(
    () => superResolution({ size: [4, 4], factor: 4, reach: 3 }, gaussianKernel(2, [17, 17])),
    /\[17,17,1\] for a grid whose kernels are \[25,25,1\]/,
  );
});
