import * as tf from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import { type Image, magnitude, sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { resolve } from "../core/settings.ts";
import { startBackend } from "../engine/backend.ts";
import type { Measurable } from "../physics/acquisition.ts";
import { cartesianMri, cartesianSettings } from "../physics/cartesian_mri.ts";
import { fastmriLines } from "../physics/masks.ts";

await startBackend();

function noise(name: string, shape: readonly number[]): Image {
  const rng = stream(name);
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()) };
}

function acquisition(overrides: Parameters<typeof resolve>[1] = {}, taskStream = "task") {
  return cartesianMri(resolve(cartesianSettings, overrides, "test"), taskStream);
}

function sample(id: string, shape: readonly number[], more: Partial<Measurable> = {}): Measurable {
  return { id, subject: "s1", image: noise(id, shape), ...more };
}

async function applied(f: (x: tf.Tensor) => tf.Tensor, image: Image): Promise<Float32Array> {
  return await tf.tidy(() => f(tf.tensor(image.data, [1, ...image.shape]))).data() as Float32Array;
}

function far(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a, (value, i) => Math.abs(value - b[i])).reduce((x, y) => Math.max(x, y), 0);
}

const rng = stream("sample");

Deno.test("cartesianMri() measures one coil as its operator says, and the image is the sample's own", async () => {
  const given = sample("a", [12, 32, 2]);
  const { operator, measurement, image, reference } = await acquisition().measure(given, rng);
  assert.equal(image, given.image);
  assert.equal(reference, undefined);
  assert.ok(far(await applied(operator.forward, image!), measurement.data) < 1e-6);
});

Deno.test("cartesianMri() shares one operator among all samples of one mask and size", async () => {
  const mri = acquisition();
  const [a, b, c] = [[12, 32, 2], [12, 32, 2], [14, 32, 2]].map((shape, i) => sample(`${i}`, shape));
  const operators = await Promise.all(
    [a, b, c].map(async (s) => (await mri.measure(s, stream(s.id))).operator),
  );
  assert.equal(operators[0], operators[1]);
  assert.notEqual(operators[0], operators[2]);
  assert.deepEqual(operators[0].settings.lines, operators[2].settings.lines);
});

Deno.test("cartesianMri() deals a pool of masks by each sample's own stream, always the same way", async () => {
  const lines = async () => {
    const mri = acquisition({ masks: 4 });
    const all: string[] = [];
    for (let i = 0; i < 40; i++) {
      const { operator } = await mri.measure(sample(`${i}`, [2, 32, 2]), stream(`sample ${i}`));
      all.push(String(operator.settings.lines));
    }
    return all;
  };
  const [first, second] = [await lines(), await lines()];
  assert.deepEqual(first, second);
  assert.equal(new Set(first).size, 4);
});

Deno.test("cartesianMri() draws other masks for another task stream", async () => {
  const [a, b] = await Promise.all(
    ["task 1", "task 2"].map((name) => acquisition({}, name).measure(sample("a", [2, 64, 2]), rng)),
  );
  assert.notDeepEqual(a.operator.settings.lines, b.operator.settings.lines);
});

Deno.test("cartesianMri() seeds fastMRI's masks with the file's name, else with the subject", async () => {
  for (
    const [more, name] of [[{ acquisition: { file: "file1000031.h5" } }, "file1000031.h5"], [
      {},
      "s1",
    ]] as const
  ) {
    const { operator } = await acquisition({ mask: "fastmri" }).measure(sample("a", [2, 64, 2], more), rng);
    assert.deepEqual(
      operator.settings.lines,
      fastmriLines(64, { kind: "fastmri", acceleration: 4, acs: 0.08 }, name),
    );
  }
});

/** Two coils that see one smooth object with smooth sensitivities. */
function twoCoils(): Image {
  const [height, width] = [32, 48];
  const data = new Float32Array(height * width * 4);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [v, u] = [row / height - 0.5, column / width - 0.5];
      const object = 1 / (1 + Math.exp((Math.hypot(u, v) - 0.35) / 0.03));
      const at = 4 * (row * width + column);
      data[at] = object * Math.exp(-u);
      data[at + 3] = object * Math.exp(u);
    }
  }
  return { shape: [height, width, 4], data };
}

Deno.test("cartesianMri() of several coils reconstructs their combination and scores against their root sum of squares", async () => {
  const given: Measurable = { id: "a", subject: "s1", image: twoCoils() };
  const { operator, measurement, image, reference } = await acquisition({ acs: 0.17 }).measure(given, rng);
  assert.deepEqual(operator.imageShape, [32, 48, 2]);
  assert.deepEqual(operator.measurementShape, [32, 48, 4]);
  assert.deepEqual(measurement.shape, [32, 48, 4]);
  assert.deepEqual(reference, magnitude(given.image!));
  const apart = far(magnitude(image!).data, reference!.data);
  assert.ok(apart < 0.02, `${apart}`);
  // The sensitivities are estimated, so the model holds nearly.
  const model = await applied(operator.forward, image!);
  const error = Math.hypot(...model.map((value, i) => value - measurement.data[i]));
  const share = error / Math.hypot(...measurement.data);
  assert.ok(share < 0.05, `${share}`);
});

Deno.test("cartesianMri() gives every measurement of several coils the operator of its own sensitivities", async () => {
  const mri = acquisition({ acs: 0.5, acceleration: 2 });
  // Smooth coil images, so that the estimated sensitivities explain them; the other one is the first, mirrored.
  const shape = [16, 32, 4];
  const smooth = (mirrored: boolean): Image => ({
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
      const [pixel, channel] = [Math.floor(i / 4), i % 4];
      const [row, column] = [Math.floor(pixel / 32), pixel % 32];
      const x = (mirrored ? 31 - column : column) / 31;
      const object = Math.exp(-((row - 8) ** 2) / 20 - ((x - 0.4) ** 2) / 0.02);
      return channel === 0 ? object * (1 - x) : channel === 2 ? object * x : 0;
    }),
  });
  const held = await mri.measure(sample("a", shape, { image: smooth(false) }), rng);
  const other = await mri.measure(sample("a", shape, { image: smooth(true) }), rng);
  for (const { operator, image, measurement } of [held, other]) {
    const model = await applied(operator.forward, image!);
    const error = Math.hypot(...model.map((value, i) => value - measurement.data[i]));
    const size = Math.hypot(...measurement.data);
    assert.ok(
      error < 0.1 * size,
      `the operator misses its own measurement by ${(100 * error / size).toFixed(0)} %`,
    );
  }
});

Deno.test("cartesianMri() prefers the reference that the data hold", async () => {
  const stored = noise("stored", [32, 48, 1]);
  for (const image of [twoCoils(), noise("one", [32, 48, 2])]) {
    const { reference } = await acquisition().measure(
      { id: "a", subject: "s", image, reference: stored },
      rng,
    );
    assert.equal(reference, stored);
  }
});

Deno.test("cartesianMri() takes the lines of what was measured already, and makes up no image", async () => {
  const { operator: A, measurement } = await acquisition().measure(sample("a", [12, 32, 2]), rng);
  const lines = A.settings.lines!;
  const again = await acquisition({}, "another task").measure(
    { id: "a", subject: "s1", measurement, acquisition: { lines } },
    rng,
  );
  assert.equal(again.image, undefined);
  assert.deepEqual(again.operator.settings.lines, lines);
  assert.ok(far(again.measurement.data, measurement.data) < 1e-5);
});

Deno.test("cartesianMri() refuses a measurement with signal on lines that were not measured", async () => {
  const measurement = noise("everywhere", [12, 32, 2]);
  await assert.rejects(
    acquisition().measure(
      { id: "07", subject: "s1", measurement, acquisition: { lines: [15, 16, 17] } },
      rng,
    ),
    /lies on k-space lines that[^]*subject "s1", sample "07"[^]*mask's order/,
  );
});

Deno.test("cartesianMri() refuses what is not complex, and measurements without lines, and says where", async () => {
  const measurement = noise("x", [12, 32, 2]);
  const cases: [Partial<Measurable>, RegExp][] = [
    [{ image: noise("x", [12, 32, 1]) }, /complex coil images[^]*subject "s1", sample "07"/],
    [{ image: undefined }, /complex coil images/],
    [{ image: noise("y", [12, 30, 2]), measurement }, /one shape; the image is \[12,30,2\]/],
    [{ image: undefined, measurement }, /without the numbers of its k-space lines[^]*acquisition\.lines/],
    [{ image: undefined, measurement, acquisition: { lines: [32] } }, /line 32 is not in \[0, 32\)/],
  ];
  for (const [part, message] of cases) {
    await assert.rejects(acquisition().measure({ id: "07", subject: "s1", ...part }, rng), message);
  }
});
