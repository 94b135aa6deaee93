import * as tf from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import { type Image, sizeOf } from "../core/image.ts";
import type { Json } from "../core/json.ts";
import { stream } from "../core/random.ts";
import { type Overrides, resolve } from "../core/settings.ts";
import { startBackend } from "../engine/backend.ts";
import type { Measurable } from "../physics/acquisition.ts";
import { bornWolfKernel, bornWolfVolume } from "../physics/born_wolf.ts";
import { convolution, convolutionForm } from "../physics/convolution.ts";
import { microscope, microscopeSettings, volumeMicroscopeSettings } from "../physics/microscope.ts";
import {
  croppedKernel,
  otherSpread,
  type PointSpread,
  pointSpread,
  ridgeBrightness,
} from "../physics/point_spread.ts";
import { reflected } from "../physics/reflect.ts";

await startBackend();

const plane = (overrides: Overrides = {}, readKernel?: (path: string) => Promise<Image>) =>
  microscope(resolve(microscopeSettings, overrides, "test"), "test", readKernel);
const volume = (overrides: Overrides = {}) =>
  microscope(resolve(volumeMicroscopeSettings, overrides, "test"), "test");

function sampleOf(rest: Partial<Measurable>): Measurable {
  return { id: "00", subject: "cell-001", ...rest };
}

function random(name: string, shape: readonly number[]): Image {
  const rng = stream(name);
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => rng.uniform()) };
}

/** A kernel that is brightest in its middle. */
function peaked(shape: readonly number[]): Image {
  const kernel = random("psf", shape);
  kernel.data[(kernel.data.length - 1) / 2] = 2;
  return kernel;
}

const rng = () => stream("noise");
const near = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number) =>
  assert.ok(
    a.length === b.length && Array.from(a).every((value, i) => Math.abs(value - b[i]) <= tolerance),
    `${Array.from(a).slice(0, 8)}… and ${Array.from(b).slice(0, 8)}…`,
  );
const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** √(mean squared distance from the middle), in pixels. */
function rmsRadius({ shape: [height, width], data }: Image): number {
  const square = (i: number) =>
    (i % width - (width - 1) / 2) ** 2 + (Math.floor(i / width) - (height - 1) / 2) ** 2;
  return Math.sqrt(data.reduce((sum, value, i) => sum + value * square(i), 0));
}

Deno.test("an image is blurred by the believed function and photographed, and comes out smaller by the margin", async () => {
  const image = random("x", [64, 64, 1]);
  const { operator, form, noise, kernel, measurement, ...rest } = await plane().measure(
    sampleOf({ image }),
    rng(),
  );
  assert.deepEqual([operator.imageShape, operator.measurementShape], [[64, 64, 1], [48, 48, 1]]);
  assert.deepEqual([form!.kernelShape, rest.image], [[15, 15, 1], image]);
  // The reference kernel of DEFAULTS.md, part C; its values are held to SciPy's in physics_born_wolf_test.ts.
  const optics = { na: 1.4, refractiveIndex: 1.5, wavelengthNm: 500 };
  const expected = bornWolfKernel(optics, { side: 15, pixelNm: 65 }, [
    -600,
    -450,
    -300,
    -150,
    0,
    150,
    300,
    450,
    600,
  ]);
  near(kernel!.data, expected.data, 1e-7);
  assert.ok(Math.abs(rmsRadius(kernel!) - 3.65) < 0.01, `${rmsRadius(kernel!)}`);
  const blurred = await operator.forward(tf.tensor(image.data, [1, 64, 64, 1])).data<"float32">();
  const errors = measurement.data.map((value, i) =>
    (value - blurred[i]) / Math.sqrt(blurred[i] / 200 + 0.02 ** 2)
  );
  assert.ok(Math.abs(mean(errors)) < 0.1 && Math.abs(mean(errors.map((e) => e * e)) - 1) < 0.1);
  assert.deepEqual(noise!.settings, { photons: 200, background: 0, readNoise: 4, multiplies: false });
});

Deno.test("a volume is blurred in all three directions", async () => {
  const settings = {
    pixelNm: "65,100",
    psfSide: 5,
    psfDepth: 7,
    margin: 4,
    marginDepth: 6,
    photons: 1e9,
    readNoise: 0,
  };
  const image = random("x", [12, 10, 11, 1]);
  const { operator, measurement, kernel } = await volume(settings).measure(sampleOf({ image }), rng());
  assert.deepEqual(operator.measurementShape, [6, 6, 7, 1]);
  const optics = { na: 1.4, refractiveIndex: 1.5, wavelengthNm: 500 };
  const expected = bornWolfVolume(optics, { side: 5, pixelNm: 65, depth: 7, stepNm: 100 });
  near(kernel!.data, expected.data, 1e-7);
  const blurred = await operator.forward(tf.tensor(image.data, [1, ...image.shape])).data();
  near(measurement.data, blurred, 1e-3);
});

Deno.test("measuredWith changes what measures, not what is believed, told or simulated", async () => {
  const image = random("x", [40, 40, 1]);
  const [as, other] = [plane(), plane({ measuredWith: "g2.62" })];
  const believed = await as.measure(sampleOf({ image }), rng());
  const measured = await other.measure(sampleOf({ image }), rng());
  const simulated = await other.simulate!(sampleOf({ image }), rng());
  assert.deepEqual(measured.operator.settings, believed.operator.settings);
  assert.deepEqual(simulated.measurement, believed.measurement);
  assert.deepEqual(simulated.kernel, believed.kernel);
  assert.notDeepEqual(measured.measurement, believed.measurement);
  // DEFAULTS.md, C2: a Gaussian of equal rms radius.
  assert.ok(Math.abs(rmsRadius(measured.kernel!) / rmsRadius(believed.kernel!) - 1) < 0.01);
});

Deno.test("the same sample gives the same measurement, and samples of one size share their operator", async () => {
  const scope = plane();
  const [a, b] = [random("a", [32, 32, 1]), random("b", [32, 32, 1])];
  const [first, again, other] = await Promise.all(
    [a, a, b].map((image) => scope.measure(sampleOf({ image }), rng())),
  );
  assert.deepEqual(first.measurement, again.measurement);
  assert.ok(first.operator === other.operator && first.noise === other.noise && first.form === other.form);
});

const counts = (name: string, low: number, high: number) => {
  const { shape, data } = random(name, [20, 24, 1]);
  return { shape, data: data.map((value) => low + (high - low) * value) };
};

Deno.test("a stack's counts become brightness by its levels: a thin structure as bright as its brightest is 1", async () => {
  const measurement = counts("y", 100, 900);
  const acquisition = { low: 100, high: 900, pixelSizeNm: [80, 80] as Json };
  const { operator, measurement: y, form, noise, ...rest } = await plane().measure(
    sampleOf({ measurement, acquisition }),
    rng(),
  );
  assert.deepEqual([operator.imageShape, operator.measurementShape], [[36, 40, 1], [20, 24, 1]]);
  const believed =
    (await plane({ pixelNm: "80" }).measure(sampleOf({ image: random("x", [36, 40, 1]) }), rng())).kernel!;
  const brightest = ridgeBrightness(believed, 0.9);
  near(y.data, measurement.data.map((count) => (count - 100) / 800 * brightest), 1e-5);
  assert.deepEqual([rest.kernel, rest.image, rest.reference], [undefined, undefined, undefined]);
  assert.deepEqual(form!.imageShape, [36, 40, 1]);
  // Nobody says what the camera counts: 200 photons in the brightest pixels.
  assert.ok(Math.abs(Number(noise!.settings.photons) * brightest - 200) < 1e-6);
});

Deno.test("a calibrated camera says how many photons a stack's counts were", async () => {
  const acquisition = { low: 110, high: 910 };
  const scope = plane({ cameraOffset: 100, cameraGain: 2 });
  const { noise, form } = await scope.measure(
    sampleOf({ measurement: counts("y", 110, 910), acquisition }),
    rng(),
  );
  const { kernel } = await plane().measure(sampleOf({ image: random("x", [36, 40, 1]) }), rng());
  const { photons, background } = noise!.settings;
  assert.ok(Math.abs(Number(photons) - 800 / ridgeBrightness(kernel!, 0.9) / 2) < 1e-3);
  assert.equal(background, 5);
  // Images that say the stack's levels are photographed by the same camera.
  const simulated = await scope.simulate!(sampleOf({ image: random("x", [36, 40, 1]), acquisition }), rng());
  assert.deepEqual([simulated.noise!.settings, simulated.form!.kernelShape], [
    noise!.settings,
    form!.kernelShape,
  ]);
});

Deno.test("a truth in units of its own is brought to the measurement's by the number that makes its blur agree", async () => {
  const psf = { shape: [5, 7, 1], data: peaked([5, 7, 1]).data.map((value) => 30 * value) };
  const truth = random("truth", [20, 24, 1]);
  const form = convolutionForm([36, 40, 1], [5, 7, 1], [20, 24, 1]);
  const A = convolution(form, croppedKernel(psf, [15, 15, 1], "here"));
  const blurred = await A.forward(A.approximateInverse!(tf.tensor(truth.data, [1, 20, 24, 1]))).data<
    "float32"
  >();
  const measurement = { shape: truth.shape, data: blurred.map((value) => 50 + 7 * value) };
  const given = sampleOf({ measurement, image: truth, kernel: psf });
  const { reference, kernel, image } = await plane().measure(given, rng());
  near(reference!.data, truth.data.map((value) => 7 * value), 1e-3);
  assert.deepEqual([kernel!.shape, image], [[5, 7, 1], undefined]);
  const other = { ...given, image: { shape: truth.shape, data: truth.data.map((value) => -value) } };
  await assert.rejects(plane().measure(other, rng()), /its truth, blurred, does not look like it/);
  // A tile in which there is nothing has its truth as it is, and keeps its kernel; of other constants nobody knows the unit.
  const dark = { ...given, image: { shape: truth.shape, data: truth.data.map(() => 0) } };
  const looked = await plane().measure(dark, rng());
  assert.deepEqual([looked.reference, looked.kernel!.shape], [dark.image, [5, 7, 1]]);
  const flat = { ...given, image: { shape: truth.shape, data: truth.data.map(() => 3) } };
  assert.equal((await plane().measure(flat, rng())).reference, undefined);
  const small = { ...given, image: random("x", [20, 20, 1]) };
  await assert.rejects(plane().measure(small, rng()), /a truth \[20,20,1\] of a measurement \[20,24,1\]/);
});

Deno.test("a sample's own kernel is believed in place of the optics', also where images are simulated with it", async () => {
  const kernel = peaked([3, 3, 1]);
  const { form, kernel: used } = await plane().simulate!(
    sampleOf({ image: random("x", [32, 32, 1]), kernel }),
    rng(),
  );
  assert.deepEqual(form!.kernelShape, [3, 3, 1]);
  near(used!.data, kernel.data.map((value) => value / (9 * mean(kernel.data))), 1e-6);
});

Deno.test("measuredWith may name a file, which is read by whoever can", async () => {
  const asked: string[] = [];
  const scope = plane({ measuredWith: "other.tif" }, (path) => {
    asked.push(path);
    return Promise.resolve(peaked([3, 3, 1]));
  });
  const { kernel } = await scope.measure(sampleOf({ image: random("x", [32, 32, 1]) }), rng());
  assert.deepEqual([asked, kernel!.shape], [["other.tif"], [3, 3, 1]]);
});

Deno.test("psf names a file for samples that bring no function of their own", async () => {
  const scope = plane({ psf: "mine.tif" }, () => Promise.resolve(peaked([5, 3, 1])));
  const image = random("x", [32, 32, 1]);
  assert.deepEqual((await scope.measure(sampleOf({ image }), rng())).form!.kernelShape, [5, 3, 1]);
  const kernel = peaked([3, 3, 1]);
  assert.deepEqual((await scope.measure(sampleOf({ image, kernel }), rng())).form!.kernelShape, [3, 3, 1]);
});

Deno.test("the size of a pixel is what is set, what the data say, or what is simulated with; else nobody knows", async () => {
  const image = random("x", [32, 32, 1]);
  const [cube, measurement] = [random("x", [16, 16, 16, 1]), counts("y", 0, 1)];
  const said = { pixelSizeNm: [100, 100] };
  const sizes = async (scope: ReturnType<typeof plane>, sample: Partial<Measurable>) =>
    (await scope.measure(sampleOf(sample), rng())).pixelNm;
  assert.deepEqual(await sizes(plane(), { image }), [65, 65]);
  assert.deepEqual(await sizes(volume({ pixelNm: "80,200" }), { image: cube }), [200, 80, 80]);
  assert.deepEqual(await sizes(plane(), { measurement, acquisition: said }), [100, 100]);
  assert.deepEqual(await sizes(plane({ pixelNm: "80" }), { measurement, acquisition: said }), [80, 80]);
  assert.equal(await sizes(plane(), { measurement, acquisition: { pixelSizeNm: null } }), undefined);
});

Deno.test("a microscope refuses what it cannot do, and says what it can", async () => {
  assert.throws(() => plane({ psfSide: 14 }), /14 pixels has no middle one/);
  assert.throws(() => plane({ psfSide: 19 }), /reaches beyond a margin of 16[^]*set margin to 18/);
  assert.throws(() => volume({ psfDepth: 11 }), /set marginDepth to 10/);
  const image = random("x", [32, 32, 1]);
  await assert.rejects(
    plane({ measuredWith: "blue" }).measure(sampleOf({ image }), rng()),
    /cannot be "blue"[^]*610nm/,
  );
  await assert.rejects(
    plane({ pixelNm: "x" }).measure(sampleOf({ image }), rng()),
    /"x" is no size of a pixel/,
  );
  await assert.rejects(
    plane().measure(sampleOf({ image: random("x", [16, 32, 1]) }), rng()),
    /no larger than the margin/,
  );
  await assert.rejects(
    plane().measure(sampleOf({ image: random("x", [16, 32, 2]) }), rng()),
    /with one channel/,
  );
  await assert.rejects(plane().measure(sampleOf({}), rng()), /a microscope shows/);
});

const spread: PointSpread = {
  na: 1.4,
  refractiveIndex: 1.5,
  wavelengthNm: 500,
  shape: [15, 15, 1],
  pixelNm: 65,
  stepNm: 130,
  defociNm: [0],
  sigmaNm: [0, 0],
};

Deno.test("another microscope's function is as wide as its name says", () => {
  const radius = (name: string) =>
    rmsRadius(pointSpread({ ...otherSpread(spread, name)!, shape: [61, 61, 1] }));
  const gaussian = radius("g2.5");
  assert.ok(Math.abs(gaussian - 2.5 * Math.SQRT2) < 1e-3, `${gaussian}`);
  const own = (name: string) => pointSpread(otherSpread(spread, name)!).data;
  // Twice the wavelength, and twice as wide, are the same in the focal plane.
  near(own("1000nm"), own("s2"), 1e-7);
  assert.deepEqual(own("500nm"), pointSpread(spread).data);
  for (const name of ["", "0nm", "g", "s-1", "610", "g1,2,3"]) {
    assert.equal(otherSpread(spread, name), undefined, name);
  }
});

Deno.test("a file's function is stretched by its name, or by the ratio of the wavelengths", async () => {
  const gaussian = (sigma: number) =>
    pointSpread({ ...otherSpread(spread, `g${sigma}`)!, shape: [41, 41, 1] });
  const file = gaussian(2);
  const most = [21, 21, 1];
  const wider = croppedKernel(file, most, "file", 1.5);
  const expected = croppedKernel(gaussian(3), most, "file");
  // Linear interpolation of a Gaussian errs by 1/8σ² of its peak, σ in the file's pixels.
  near(wider.data, expected.data, expected.data[220] / 16);
  assert.deepEqual(croppedKernel(file, most, "file", 1), croppedKernel(file, most, "file"));
  // What is smaller than it was has darkness around it.
  const [edge] =
    croppedKernel({ shape: [1, 3, 1], data: Float32Array.of(1, 2, 1) }, [1, 15, 1], "file", 0.5).data;
  assert.equal(edge, 0);

  const sample = sampleOf({ image: random("x", [48, 48, 1]) });
  const kernelBy = async (measuredWith: string) => {
    const settings = { psf: "k.tif", measuredWith, psfSide: 21, margin: 20 };
    return (await plane(settings, () => Promise.resolve(file)).measure(sample, rng())).kernel!;
  };
  near((await kernelBy("s1.5")).data, wider.data, 1e-7);
  near((await kernelBy("750nm")).data, wider.data, 1e-7);
  near((await kernelBy("")).data, croppedKernel(file, most, "file").data, 1e-7);
});

Deno.test("a Gaussian's volume has its two widths, and sum 1", () => {
  const { shape, data } = pointSpread({ ...otherSpread(spread, "g1.5,2.5")!, shape: [25, 15, 15, 1] });
  const alongAxis = data.reduce((sum, value, i) => sum + value * (Math.floor(i / 225) - 12) ** 2, 0);
  const across = data.reduce((sum, value, i) => sum + value * (i % 15 - 7) ** 2, 0);
  assert.deepEqual(shape, [25, 15, 15, 1]);
  near([Math.sqrt(alongAxis), Math.sqrt(across), mean(data) * data.length], [2.5, 1.5, 1], 1e-3);
});

Deno.test("a kernel from a file is cut to what is not 0 around its brightest pixel, and to what is allowed", () => {
  const data = new Float32Array(8 * 10);
  for (const [row, column, value] of [[4, 5, 8], [4, 6, 2], [3, 4, 1], [5, 5, 5]]) {
    data[row * 10 + column] = value;
  }
  const whole = croppedKernel({ shape: [8, 10, 1], data }, [15, 15, 1], "file");
  assert.deepEqual(whole.shape, [3, 3, 1]);
  near(whole.data, [1, 0, 0, 0, 8, 2, 0, 5, 0].map((value) => value / 16), 1e-7);
  const line = croppedKernel({ shape: [8, 10, 1], data }, [1, 15, 1], "file");
  near(line.data, [0, 0.8, 0.2], 1e-7);
  const stack = { shape: [2, 8, 10, 1], data: new Float32Array(160) };
  stack.data.set(data, 80);
  assert.deepEqual(croppedKernel(stack, [15, 15, 1], "file"), whole);
  // At a border nothing is known of the other side.
  const corner = new Float32Array(9).fill(1);
  corner[0] = 2;
  assert.deepEqual(croppedKernel({ shape: [3, 3, 1], data: corner }, [15, 15, 1], "file").shape, [5, 5, 1]);
  const bad = (values: number[], shape = [1, 3, 1]) => () =>
    croppedKernel({ shape, data: Float32Array.from(values) }, [15, 15, 1], "k.tif");
  assert.throws(bad([0, 0, 0]), /no light[^]*k\.tif/);
  assert.throws(bad([1, -1, 0]), /negative values/);
  assert.throws(bad([1, NaN, 0]), /no numbers/);
  assert.throws(bad([1, 1, 1], [3]), /a kernel \[3\]/);
});

Deno.test("a ridge is as bright after the kernel as its blurred picture's middle", async () => {
  const kernel = pointSpread(spread);
  const values = Float32Array.from(
    { length: 31 * 31 },
    (_, i) => Math.exp(-((Math.floor(i / 31) - 15) ** 2) / (2 * 0.81)),
  );
  const A = convolution(convolutionForm([31, 31, 1], [15, 15, 1], [1, 1, 1]), kernel);
  const [middle] = await A.forward(tf.tensor(values, [1, 31, 31, 1])).data();
  assert.ok(Math.abs(ridgeBrightness(kernel, 0.9) - middle) < 1e-5);
});

Deno.test("reflected() continues images as tf.mirrorPad does, and to and fro where they are small", async () => {
  const x = tf.tensor4d(Float32Array.from({ length: 40 }, (_, i) => i), [2, 4, 5, 1]);
  const expected = tf.mirrorPad(x, [[0, 0], [3, 2], [0, 0], [0, 0]], "reflect");
  assert.deepEqual(await reflected(x, 1, 3, 2).data(), await expected.data());
  const line = tf.tensor2d([0, 1, 2], [1, 3]);
  assert.deepEqual([...await reflected(line, 1, 3, 5).data()], [1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1]);
  assert.deepEqual([...await reflected(tf.tensor2d([7], [1, 1]), 1, 2, 1).data()], [7, 7, 7, 7]);
});

Deno.test("what networks are shown is the measurement in its place, continued beyond its border", async () => {
  const form = convolutionForm([9, 12, 1], [3, 5, 1], [4, 7, 1]);
  const A = form.operator(() => tf.ones([3, 5, 1]));
  const y = tf.tensor(random("y", [4, 7, 1]).data, [1, 4, 7, 1]);
  const seen = A.approximateInverse!(y);
  assert.deepEqual(seen.shape, [1, 9, 12, 1]);
  assert.deepEqual(await tf.slice(seen, [0, 2, 2, 0], [1, 4, 7, 1]).data(), await y.data());
  // A kernel of one pixel measures the same place.
  const one = new Float32Array(15);
  one[7] = 1;
  const same = convolution(form, { shape: [3, 5, 1], data: one });
  near(await same.forward(same.approximateInverse!(y)).data(), await y.data(), 0);
});
