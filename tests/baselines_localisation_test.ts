import * as tf from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import { falcon, falconSettings, sparseSpots } from "../baselines/falcon.ts";
import { Blur } from "../baselines/fine_grid.ts";
import { localiser, opticsOf } from "../baselines/optics.ts";
import { peakFit } from "../baselines/peak_fit.ts";
import { randomPoints } from "../baselines/random_points.ts";
import { sparseDeconvolution } from "../baselines/sparse_deconvolution.ts";
import { type Frame, Profile } from "../baselines/spot.ts";
import { SpotModel } from "../baselines/spot_model.ts";
import { emitterImage, emitterSum, type Points } from "../core/points.ts";
import { stream } from "../core/random.ts";
import { resolve } from "../core/settings.ts";
import { startBackend } from "../engine/backend.ts";
import type { Meeting, Method } from "../methods/method.ts";
import { countLocalisations, jaccard, totalOf } from "../metrics/localisation.ts";
import { localisationMicroscopy, localisationSettings } from "../physics/localisation_microscopy.ts";
import { poisson } from "../physics/photon_noise.ts";

await startBackend();

/** Expected counts of spots in a square frame. */
function frameOf(
  side: number,
  sigma: number,
  spots: readonly (readonly number[])[],
  background: number,
): Frame {
  const data = new Float64Array(side * side).fill(background);
  for (const [x, y, light] of spots) {
    const [across, down] = [new Profile(sigma, side).moveTo(x), new Profile(sigma, side).moveTo(y)];
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        data[row * side + column] += light * across.share[column - across.first] *
          down.share[row - down.first];
      }
    }
  }
  return { height: side, width: side, data };
}

function noisy(frame: Frame, name: string): Frame {
  const rng = stream(`test/localisation/${name}`);
  return { ...frame, data: frame.data.map((mean) => poisson(mean, rng)) };
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0);

Deno.test("the blur from a fine grid has an exact adjoint, and loses what falls beside the frame", () => {
  const rng = stream("test/blur");
  const frame = { height: 9, width: 12, data: new Float64Array(108) };
  const blur = new Blur(frame, { sigma: 1.2, factor: 3, margin: 2 });
  assert.deepEqual([blur.rows, blur.columns], [39, 48]);
  const x = new Float64Array(blur.points).map(() => rng.normal());
  const y = new Float64Array(108).map(() => rng.normal());
  const [Ax, Aty] = [new Float64Array(108), new Float64Array(blur.points)];
  blur.forward(x, blur.everywhere, Ax);
  blur.adjoint(y, blur.everywhere, Aty);
  assert.ok(Math.abs(dot(Ax, y) - dot(x, Aty)) < 1e-10);
  const one = new Float64Array(blur.points);
  const sumFrom = (row: number, column: number) => {
    one.fill(0)[row * blur.columns + column] = 1;
    blur.forward(one, blur.everywhere, Ax);
    return Ax.reduce((sum, value) => sum + value);
  };
  assert.ok(Math.abs(sumFrom(19, 24) - 1) < 1e-3);
  // The first point is two pixels outside of two borders.
  assert.ok(sumFrom(0, 0) < 0.01);
});

Deno.test("sparse deconvolution ends where no point of the grid could do better", () => {
  const frame = noisy(frameOf(10, 1.1, [[4.2, 4.9, 900], [6, 5.5, 700]], 10), "kkt");
  const grid = { sigma: 1.1, factor: 2, margin: 1 };
  const blur = new Blur(frame, grid);
  const { data: x, background, shape } = sparseDeconvolution(frame, blur, { iterations: 6000, sparsity: 1 });
  assert.deepEqual(shape, [blur.rows, blur.columns]);
  const expected = new Float64Array(100);
  blur.forward(x, blur.everywhere, expected);
  // The weights are those of the solution after thirty steps, which nearly is the last one.
  const weights = expected.map((value) => 1 / (value + background));
  const [pull, price] = [new Float64Array(blur.points), new Float64Array(blur.points)];
  blur.adjoint(frame.data.map((d, i) => weights[i] * (d - expected[i] - background)), blur.everywhere, pull);
  blur.adjointOfSquares(weights, price);
  const slack = pull.map((value, j) => (value - Math.sqrt(price[j])) / Math.sqrt(price[j]));
  assert.ok(Math.max(...slack) < 0.1, `${Math.max(...slack)}`);
  const lit = slack.filter((_, j) => x[j] > 5);
  assert.ok(lit.length >= 2 && lit.every((value) => Math.abs(value) < 0.1), `${lit}`);
});

Deno.test("a model of two spots that overlap comes to both, their light and the background, from nearby", () => {
  const truth = [[6.2, 6.9, 900], [8.1, 7.5, 700]];
  const model = new SpotModel(frameOf(14, 1.2, truth, 20), 1.2, 10);
  model.add({
    x: Float64Array.of(6.5, 7.7),
    y: Float64Array.of(7.3, 7.2),
    light: Float64Array.of(500, 500),
  });
  for (let sweep = 0; sweep < 400; sweep++) model.sweep();
  const { x, y, light } = model.spots;
  truth.forEach((spot, i) => {
    assert.ok(Math.hypot(x[i] - spot[0], y[i] - spot[1]) < 0.01, `${x[i]}, ${y[i]}`);
    assert.ok(Math.abs(light[i] / spot[2] - 1) < 0.01, `${light[i]}`);
  });
  assert.ok(Math.abs(model.background - 20) < 0.1);
  // Their expectation is what the spots make, however often they were moved.
  const before = model.expected.slice();
  model.prune(0.1, 4);
  model.expected.forEach((value, i) => assert.ok(Math.abs(value - before[i]) < 1e-6));
  assert.equal(model.spots.x.length, 2);
  model.prune(3, 4);
  assert.equal(model.spots.x.length, 1);
  model.prune(0, 1e9);
  assert.equal(model.spots.x.length, 0);
});

const defaults = resolve(falconSettings, {}, "test");

Deno.test("falcon tells apart what a fit of single spots takes for one", () => {
  let found = 0;
  for (let n = 0; n < 10; n++) {
    const truth = [[6.2, 6.9, 1500], [8.1, 7.5, 1500]];
    const spots = sparseSpots(noisy(frameOf(14, 1.2, truth, 10), `pair/${n}`), 1.2, 2, defaults);
    const near = truth.every(([x, y]) =>
      spots.x.some((other, i) => Math.hypot(other - x, spots.y[i] - y) < 0.5)
    );
    // Noise may part one of them once more.
    if (near && spots.x.length <= 3) found++;
  }
  assert.ok(found >= 9, `${found} of 10`);
});

Deno.test("falcon finds nothing where nothing is", () => {
  for (let n = 0; n < 5; n++) {
    assert.deepEqual(
      sparseSpots(noisy(frameOf(20, 1.2, [], 10), `blank/${n}`), 1.2, 2, defaults).x.length,
      0,
    );
  }
});

Deno.test("falcon finds the same in a frame whose camera counts four for one, and nothing more", () => {
  const frame = noisy(frameOf(24, 1.2, [[6.2, 6.9, 900], [16.1, 7.5, 700], [12, 17, 800]], 10), "gain");
  const [one, four] = [1, 4].map((gain) =>
    sparseSpots({ ...frame, data: frame.data.map((count) => gain * count) }, 1.2, 2, defaults)
  );
  assert.equal(one.x.length, 3);
  assert.equal(four.x.length, 3);
  four.x.forEach((x, i) => {
    const nearest = Math.min(...one.x.map((other, j) => Math.hypot(other - x, one.y[j] - four.y[i])));
    assert.ok(nearest < 0.05, `${nearest}`);
  });
  const light = (spots: { light: Float64Array }) => spots.light.reduce((sum, value) => sum + value);
  assert.ok(Math.abs(light(four) / light(one) / 4 - 1) < 0.02);
});

// As `bench smlm` has it: frames of a simulated microscope, and the methods that it meets.
const reach = 3;
const pixelNm = 100;
const settings = resolve(localisationSettings, { reach }, "test");
const acquisition = localisationMicroscopy(settings, "test");
const side = 24;

/** So many emitters a µm² anywhere, those around the frame included; 0: four of them, apart from one another. */
function emittersOf(name: string, density: number): Points {
  const rng = stream(`test/emitters/${name}`);
  const field = side + 2 * reach;
  const count = density === 0 ? 4 : Math.round(density * (field * pixelNm / 1000) ** 2);
  const line = (site: (n: number) => number) =>
    Float64Array.from(
      { length: count },
      (_, n) => pixelNm * (density === 0 ? site(n) + 2 * rng.uniform() : field * rng.uniform() - reach),
    );
  return {
    xNm: line((n) => 5 + 12 * (n % 2)),
    yNm: line((n) => 5 + 12 * Math.floor(n / 2)),
    brightness: new Float64Array(count).fill(1),
  };
}

async function measured(name: string, density: number) {
  const emitters = emittersOf(name, density);
  const image = emitterImage(
    { ...emitters, xNm: emitters.xNm.map((x) => x + 300), yNm: emitters.yNm.map((y) => y + 300) },
    { height: 120, width: 120, pixelNm: 25 },
  );
  return await acquisition.measure({ id: name, subject: "s", image, emitters }, stream(`test/noise/${name}`));
}

const problem = {
  imageShape: [120, 120, 1],
  seenShape: [120, 120, 1],
  measurementShape: [24, 24, 1],
  updates: 1,
  batch: 1,
};

async function located(method: Method, density: number, overrides = {}) {
  using learner = method.prepare(problem, resolve(method.settings, overrides, "test"), stream("test/method"));
  const counts: [number, number] = [0, 0];
  const at250 = [], at50 = [];
  for (let n = 0; n < 6; n++) {
    const { operator, noise, measurement, emitters } = await measured(`${density}/${n}`, density);
    const meeting: Meeting = { A: operator, noise, see: (y) => tf.clone(y) as tf.Tensor4D };
    const y = tf.tensor4d(measurement.data, [1, ...measurement.shape] as [number, number, number, number]);
    const [found] = await learner.locate!(y, meeting);
    const x = learner.reconstruct(y, meeting);
    assert.deepEqual(x.shape, [1, 120, 120, 1]);
    counts[0] += dot(await x.data(), new Float32Array(x.size).fill(1)) / emitterSum;
    counts[1] += emitters!.xNm.length;
    at250.push(countLocalisations(found, emitters!, 250));
    at50.push(countLocalisations(found, emitters!, 50));
    tf.dispose([x, y]);
  }
  return {
    j250: jaccard(totalOf(at250)) as number,
    j50: jaccard(totalOf(at50)) as number,
    light: counts[0] / counts[1],
  };
}

Deno.test("peak-fit and falcon find emitters that are apart, and images hold their light", async () => {
  for (const method of [peakFit, falcon]) {
    const { j50, light } = await located(method, 0);
    assert.ok(j50 > 0.95, `${method.name}: ${j50}`);
    assert.ok(light > 0.9 && light < 1.1, `${method.name}: ${light}`);
  }
});

Deno.test("in dense frames falcon finds more than peak-fit, and both more than points at random", async () => {
  const [random, peaks, sparse] = await Promise.all(
    [randomPoints, peakFit, falcon].map((method) => located(method as Method, 2)),
  );
  assert.ok(sparse.j50 > peaks.j50 + 0.05, `${sparse.j50}, ${peaks.j50}`);
  assert.ok(peaks.j50 > random.j50 + 0.1, `${peaks.j50}, ${random.j50}`);
});

Deno.test("counts have the variance of their mean, whether the camera multiplies electrons or not", async () => {
  for (const camera of ["emccd", "scmos"]) {
    const flat = localisationMicroscopy({ ...settings, camera, readNoise: 3 }, "test");
    const dark = { xNm: new Float64Array(), yNm: new Float64Array() };
    const image = { shape: [120, 120, 1], data: new Float32Array(14400).fill(0.02) };
    for (const emitters of [dark, undefined]) {
      const sample = { id: "0", subject: "s", image, ...(emitters && { emitters }) };
      const { operator, noise, measurement } = await flat.measure(sample, stream(`test/flat/${camera}`));
      const meeting = { A: operator, noise, see: (y: tf.Tensor) => y as tf.Tensor4D };
      const { unit, dark: level } = await opticsOf(meeting, "test");
      const counts = Float64Array.from(measurement.data, (value) => value / unit + level);
      const mean = counts.reduce((sum, value) => sum + value) / counts.length;
      const variance = counts.reduce((sum, value) => sum + (value - mean) ** 2, 0) / counts.length;
      // 576 pixels: a variance is known to 6 %.
      assert.ok(Math.abs(variance / mean - 1) < 0.2, `${camera}: ${variance} of ${mean}`);
    }
  }
});

Deno.test("random points are the same for the same frame, as many as its light is worth, and none in the dark", async () => {
  using learner = randomPoints.prepare(problem, {}, stream("test/random"));
  const { operator, noise, measurement } = await measured("random", 3);
  const meeting: Meeting = { A: operator, noise, see: (y) => tf.clone(y) as tf.Tensor4D };
  const y = tf.tensor4d([...measurement.data, ...measurement.data], [2, 24, 24, 1]);
  const [first, second] = await learner.locate!(y, meeting);
  assert.deepEqual(first, second);
  const light = measurement.data.reduce((sum, value) => sum + value, 0) / emitterSum;
  assert.equal(first.xNm.length, Math.round(light));
  const [none] = await learner.locate!(tf.zeros([1, 24, 24, 1]), meeting);
  assert.equal(none.xNm.length, 0);
});

Deno.test("methods that find emitters refuse operators that are no microscope, and cameras whose noise nobody knows", async () => {
  const learner = localiser("peak-fit", () => assert.fail("nothing is to be found"));
  const y = tf.zeros<tf.Rank.R4>([1, 24, 24, 1]);
  const { operator, noise } = await measured("refused", 1);
  const see = (y: tf.Tensor) => tf.clone(y) as tf.Tensor4D;
  const found = (meeting: Meeting) => learner.locate!(y, meeting);
  await assert.rejects(found({ A: operator, see }), /how noisy the camera is[^]*leave peak-fit out/);
  const other = { ...operator, settings: { factor: 4 } };
  await assert.rejects(found({ A: other, noise, see }), /the operator does not say its pixelNm/);
  await assert.rejects(found({ A: undefined, noise, see }), /how frames come from images/);
  assert.throws(() => learner.reconstruct(y, { A: operator, noise, see }), /await locate\(\) before/);
});
