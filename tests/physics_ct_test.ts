import * as tf from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import { type Image, sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { type Overrides, resolve } from "../core/settings.ts";
import { startBackend } from "../engine/backend.ts";
import type { Measurable } from "../physics/acquisition.ts";
import { lowDoseCt, lowDoseCtSettings } from "../physics/low_dose_ct.ts";
import type { Operator } from "../physics/operator.ts";
import { sparseViewCt, sparseViewCtSettings } from "../physics/sparse_view_ct.ts";

await startBackend();

function lowDose(overrides: Overrides = {}) {
  return lowDoseCt(resolve(lowDoseCtSettings, overrides, "test"), "task");
}

function sparse(overrides: Overrides = {}) {
  return sparseViewCt(resolve(sparseViewCtSettings, overrides, "test"), "task");
}

const rng = stream("sample");

function sample(more: Partial<Measurable>): Measurable {
  return { id: "07", subject: "s1", ...more };
}

function image(shape: readonly number[], value: (index: number) => number): Image {
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, (_, index) => value(index)) };
}

function noise(name: string, shape: readonly number[]): Image {
  const rng = stream(name);
  return image(shape, () => 100 * rng.normal());
}

/** How far a pixel is from the middle of the field, in half-widths. */
function away(index: number, size: number): number {
  const [row, column] = [Math.floor(index / size), index % size];
  return Math.hypot((2 * column + 1) / size - 1, (2 * row + 1) / size - 1);
}

const air = -1000;
const radius = 0.7;

/** A disc of water in air, in HU. */
const water = (size: number) => image([size, size, 1], (index) => away(index, size) < radius ? 0 : air);

/** Its exact sinogram, in HU above air times half-widths. */
function waterSinogram(views: number, bins: number, span: number): Image {
  return image([views, bins, 1], (index) => {
    const t = -span + (2 * (index % bins) + 1) * span / bins;
    return 1000 * 2 * Math.sqrt(Math.max(0, radius ** 2 - t * t));
  });
}

async function applied(f: (x: tf.Tensor) => tf.Tensor, given: Image): Promise<Float32Array> {
  return await tf.tidy(() => f(tf.tensor(given.data, [1, ...given.shape]))).data() as Float32Array;
}

function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  return Array.from(a, (value, i) => Math.abs(value - b[i])).reduce((x, y) => Math.max(x, y), 0);
}

/** Mean HU of an image in HU above air, in the disc and outside of it, away from its edge. */
function levels({ data, shape }: Image): { readonly water: number; readonly air: number } {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length + air;
  const size = shape[0];
  const where = (inside: (distance: number) => boolean) =>
    [...data].filter((_, index) => inside(away(index, size)));
  return {
    water: mean(where((distance) => distance < radius - 0.1)),
    air: mean(where((distance) => distance > radius + 0.1 && distance < 0.98)),
  };
}

// HU that lines through the middles of bins, for bins of some width, may cost.
const tolerance = 3;

for (const filter of ["ram-lak", "shepp-logan", "hann"]) {
  Deno.test(`lowDoseCt() reconstructs a disc of water at 0 HU in air at −1000 HU (${filter})`, async () => {
    const noiseFree: Measurable = sample({
      image: water(64),
      measurement: waterSinogram(96, 93, Math.SQRT2),
      acquisition: { noiseFree: true, span: Math.SQRT2 },
    });
    for (const given of [noiseFree, sample({ image: water(64) })]) {
      const seen = levels((await lowDose({ filter }).measure(given, rng)).image!);
      assert.ok(Math.abs(seen.water) < tolerance, `water at ${seen.water} HU`);
      assert.ok(Math.abs(seen.air - air) < tolerance, `air at ${seen.air} HU`);
    }
  });
}

Deno.test("lowDoseCt() reconstructs the same HU whatever the opacity, the bins and the detector are", async () => {
  const others: Overrides[] = [{ opacity: 1 }, { bins: 128 }, { detector: "circle", bins: 64 }, {
    views: 150,
  }];
  for (const overrides of others) {
    const { image } = await lowDose(overrides).measure(sample({ image: water(64) }), rng);
    assert.ok(Math.abs(levels(image!).water) < tolerance, JSON.stringify(overrides));
  }
});

Deno.test("lowDoseCt() adds the noise of its photons to the sinogram, and none to the image", async () => {
  const [photons, opacity] = [1e4, 2.5];
  const clean = waterSinogram(96, 93, Math.SQRT2);
  const given = sample({ image: water(64), measurement: clean, acquisition: { noiseFree: true } });
  const { measurement, image, operator } = await lowDose({ photons, opacity }).measure(given, rng);
  let chi = 0;
  for (let i = 0; i < clean.data.length; i++) {
    const depth = clean.data[i] * opacity / 1000;
    chi += ((measurement.data[i] - clean.data[i]) * opacity / 1000) ** 2 * photons * Math.exp(-depth);
  }
  const n = clean.data.length;
  assert.ok(Math.abs(chi / n - 1) < 5 * Math.sqrt(2 / n), `${chi / n} times the variance 1/(I₀ e^−p)`);
  assert.ok(farthest(await applied(operator.approximateInverse!, clean), image!.data) < 1e-2);
});

Deno.test("lowDoseCt() measures an image by its operator, and reconstructs both domains alike", async () => {
  const { measurement, image, operator } = await lowDose({ photons: 1e10 }).measure(
    sample({ image: water(40) }),
    rng,
  );
  const v: Image = { shape: [40, 40, 1], data: water(40).data.map((value) => value + 1000) };
  const sinogram = await applied(operator.forward, v);
  // Of 1e10 e^−p photons the relative error is far below 1e-4; p is up to 3.2·√2 for 1000·2·√2.
  assert.ok(farthest(sinogram, measurement.data) < 1, `${farthest(sinogram, measurement.data)}`);
  const back = await applied(operator.approximateInverse!, { shape: measurement.shape, data: sinogram });
  assert.ok(farthest(back, image!.data) < 1e-2);
});

Deno.test("lowDoseCt() gives more noise to a lower dose, the same to the same stream, another to another", async () => {
  const measured = async (photons: number, name: string) =>
    (await lowDose({ photons }).measure(sample({ image: water(24) }), stream(name))).measurement.data;
  const [clean, many, few] = [
    await measured(1e12, "a"),
    await measured(1e5, "a"),
    await measured(1e3, "a"),
  ];
  assert.ok(farthest(clean, few) > 3 * farthest(clean, many));
  assert.deepEqual(await measured(1e3, "a"), few);
  assert.notDeepEqual(await measured(1e3, "b"), few);
});

Deno.test("lowDoseCt() takes a registered pair as it is, in HU above air, by the identity", async () => {
  const ct = lowDose();
  const [normal, low] = [noise("normal", [6, 8, 1]), noise("low", [6, 8, 1])];
  const { operator, image, measurement } = await ct.measure(
    sample({ image: normal, measurement: low }),
    rng,
  );
  assert.equal(operator.name, "identity");
  assert.ok(farthest(image!.data, normal.data.map((v) => v + 1000)) === 0);
  assert.ok(farthest(measurement.data, low.data.map((v) => v + 1000)) === 0);
  const alone = await ct.measure(sample({ measurement: low }), rng);
  assert.equal(alone.image, undefined);
  assert.equal(alone.operator, operator);
  assert.deepEqual(alone.measurement, measurement);
});

Deno.test("lowDoseCt() scans an image of any size as finely as its pixels, unless views and bins are set", async () => {
  const shape = async (size: number, overrides: Overrides) =>
    (await lowDose(overrides).measure(sample({ image: water(size) }), rng)).measurement.shape;
  assert.deepEqual(await shape(64, {}), [96, 93, 1]);
  assert.deepEqual(await shape(17, {}), [26, 27, 1]);
  assert.deepEqual(await shape(64, { detector: "circle" }), [96, 66, 1]);
  assert.deepEqual(await shape(20, { views: 7, bins: 9 }), [7, 9, 1]);
});

Deno.test("lowDoseCt() shares one operator among all samples of one size, and its norm bounds it closely", async () => {
  const ct = lowDose({ views: 20, bins: 30 });
  const [a, b, c] = await Promise.all(
    [16, 16, 18].map((size) => ct.measure(sample({ image: water(size) }), rng)),
  );
  assert.equal(a.operator, b.operator);
  assert.notEqual(a.operator, c.operator);
  const norm = await largest(a.operator);
  assert.ok(norm < a.operator.norm! && a.operator.norm! < 1.02 * norm);
});

/** The norm, from below, by a power iteration. */
async function largest({ forward, adjoint, imageShape }: Operator): Promise<number> {
  let x = tf.tensor(noise("start", imageShape).data, [1, ...imageShape]);
  let square = 0;
  for (let i = 0; i < 50; i++) {
    x = adjoint(forward(x));
    [square] = await tf.norm(x).data();
    x = tf.div(x, square);
  }
  return Math.sqrt(square);
}

Deno.test("lowDoseCt() refuses what it cannot measure, and says where and why", async () => {
  const cases: [Partial<Measurable>, RegExp][] = [
    [
      { image: noise("x", [8, 8, 2]) },
      /slices \[height, width, 1\] in HU, not \[8,8,2\][^]*"s1", sample "07"/,
    ],
    [
      { image: noise("x", [8, 8, 1]), measurement: noise("y", [9, 8, 1]) },
      /normal dose \[8,8,1\] and low dose \[9,8,1\][^]*noiseFree/,
    ],
    [
      { measurement: noise("y", [96, 93, 1]), acquisition: { noiseFree: true } },
      /not \[\][^]*"s1", sample "07"[^]*an image of its size/,
    ],
    [
      {
        image: noise("x", [64, 64, 1]),
        measurement: noise("y", [90, 93, 1]),
        acquisition: { noiseFree: true },
      },
      /\[90,93,1\] for a scanner of \[96,93,1\][^]*--set views=90/,
    ],
    [
      {
        image: noise("x", [64, 64, 1]),
        measurement: noise("y", [96, 93, 1]),
        acquisition: { noiseFree: true, span: 1 },
      },
      /spans ±1 half-widths[^]*set detector to circle/,
    ],
    [{}, /slices \[height, width, 1\] in HU, not \[\]/],
  ];
  for (const [part, message] of cases) {
    await assert.rejects(async () => await lowDose().measure(sample(part), rng), message);
  }
});

Deno.test("sparseViewCt() has norm 1, noise of its share of the mean measurement, and passes labels on", async () => {
  const ct = sparse({ noise: 0.2 });
  const [object, label] = [image([32, 32, 1], (i) => away(i, 32) < 0.5 ? 1 : 0), noise("label", [32, 32, 1])];
  const measured = await ct.measure(sample({ image: object, label }), rng);
  assert.equal(measured.image, object);
  assert.equal(measured.label, label);
  assert.deepEqual(measured.measurement.shape, [30, 96, 1]);
  const norm = await largest(measured.operator);
  assert.ok(norm < 1 && norm > 0.99, `${norm}`);
  const clean = await applied(measured.operator.forward, object);
  const level = 0.2 * clean.reduce((a, b) => a + Math.abs(b), 0) / clean.length;
  const n = clean.length;
  const variance = clean.reduce((sum, value, i) => sum + (measured.measurement.data[i] - value) ** 2, 0) / n;
  assert.ok(Math.abs(variance / level ** 2 - 1) < 5 * Math.sqrt(2 / n), `${variance} of ${level ** 2}`);
  const again = await ct.measure(sample({ image: object }), rng);
  assert.equal(again.operator, measured.operator);
  assert.deepEqual(again.measurement, measured.measurement);
  assert.equal("label" in again, false);
});

Deno.test("sparseViewCt() refuses what was measured already and what has several channels", async () => {
  const x = noise("x", [8, 8, 1]);
  await assert.rejects(
    () => sparse().measure(sample({ image: x, measurement: x }), rng),
    /was measured already/,
  );
  await assert.rejects(
    () => sparse().measure(sample({ image: noise("x", [8, 8, 2]) }), rng),
    /images \[height, width, 1\], not \[8,8,2\][^]*sample "07"/,
  );
});
