import assert from "node:assert/strict";
import { transformAxes } from "../core/fourier.ts";
import type { Image } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { rendered } from "../core/points.ts";
import { readLocalisations } from "../datasets/localisations.ts";
import { TiffStack } from "../datasets/formats/tiff.ts";
import { pearson } from "../metrics/correlation.ts";
import { frcHalves, frcTruth, resolutionOf, thresholdOf } from "../metrics/frc.ts";
import { type RingCorrelation, ringCorrelation, smoothed } from "../metrics/ring_correlation.ts";
// Made by metrics_frc.py with NumPy, SciPy and statsmodels, which says how.
import golden from "./golden/metrics_frc.json" with { type: "json" };
import { sharedExists, sharedFolder } from "./tree.ts";

type Golden = typeof golden.cases[number];

function imageOf({ shape }: Golden, values: number[]): Image {
  return { shape: [...shape, 1], data: Float32Array.from(values) };
}

function closeAll(actual: ArrayLike<number>, expected: number[], what: string): void {
  assert.equal(actual.length, expected.length, what);
  expected.forEach((value, i) =>
    assert.ok(Math.abs(actual[i] - value) < 1e-10, `${what} ${i}: ${actual[i]}, ${value}`)
  );
}

/** White noise, without what lies beyond a share of the Nyquist frequency. */
function noise(name: string, side: number, passed = Infinity): Image {
  const rng = stream(`test/frc/${name}`);
  const values = Float64Array.from({ length: 2 * side * side }, (_, i) => i % 2 === 0 ? rng.normal() : 0);
  transformAxes(values, [side, side], false);
  const centre = side / 2;
  for (let i = 0; i < side * side; i++) {
    const radius = Math.hypot(Math.floor(i / side) - centre, i % side - centre);
    if (radius > passed * centre) values[2 * i] = values[2 * i + 1] = 0;
  }
  transformAxes(values, [side, side], true);
  return {
    shape: [side, side, 1],
    data: Float32Array.from({ length: side * side }, (_, i) => values[2 * i]),
  };
}

const sum = (a: Image, b: Image, factor = 1): Image => ({
  shape: a.shape,
  data: a.data.map((value, i) => value + factor * b.data[i]),
});

/** A curve that was made up. */
function curve(values: number[]): RingCorrelation {
  const frequencies = Float64Array.from(values, (_, ring) => ring / (2 * (values.length - 1)));
  return {
    frequencies,
    values: Float64Array.from(values),
    counts: Float64Array.from(values, (_, ring) => Math.max(1, 6 * ring)),
    nyquist: 0.5,
  };
}

Deno.test("rings and shells, thresholds, LOESS and resolutions are those of NumPy, SciPy and statsmodels", () => {
  for (const one of golden.cases) {
    const correlation = ringCorrelation(imageOf(one, one.a), imageOf(one, one.b), one.pixel);
    const name = one.shape.join(" x ");
    closeAll(correlation.values, one.values, name);
    closeAll(correlation.counts, one.counts, name);
    closeAll(correlation.frequencies, one.values.map((_, ring) => ring * one.width), name);
    for (const threshold of ["1/7", "half-bit"] as const) {
      const found = resolutionOf(correlation, threshold);
      assert.ok(
        "length" in found && Math.abs(found.length / one[threshold] - 1) < 1e-10,
        `${name} ${threshold}`,
      );
    }
    const smooth = smoothed(correlation, one.span);
    closeAll(smooth.values, one.smooth, `${name} smoothed`);
    const found = resolutionOf(smooth, "1/7");
    assert.ok("length" in found && Math.abs(found.length / one["1/7 smoothed"] - 1) < 1e-10);
  }
});

Deno.test("a signal in noise of its own twice correlates by its share of the power", () => {
  const signal = noise("signal", 256);
  // Signal and noise of equal power: 1 / (1 + 1).
  const { values, counts } = ringCorrelation(sum(signal, noise("one", 256)), sum(signal, noise("two", 256)));
  let mean = 0;
  for (let ring = 8; ring < values.length; ring++) mean += values[ring] * counts[ring];
  mean /= counts.subarray(8).reduce((total, count) => total + count);
  assert.ok(Math.abs(mean - 0.5) < 0.02, `${mean}`);
});

Deno.test("the resolution is the fineness up to which two images share a signal, in nm of the pixels they have", () => {
  const signal = noise("band", 256, 0.4);
  const a = sum(signal, noise("left", 256), 0.5);
  const b = sum(signal, noise("right", 256), 0.5);
  // 0.4 of half a cycle a pixel is a period of five pixels.
  for (const [pixel, expected] of [[1, 5], [100, 500], [25, 125]]) {
    const found = resolutionOf(ringCorrelation(a, b, pixel), "1/7");
    assert.ok("length" in found && Math.abs(found.length / expected - 1) < 0.03, JSON.stringify(found));
    assert.equal(found.atNyquist, false);
  }
});

Deno.test("the correlation sees no brightness, and sees a sign", () => {
  const [a, b] = [noise("a", 64), sum(noise("a", 64), noise("b", 64))];
  const { values } = ringCorrelation(a, b);
  const brighter = { shape: b.shape, data: b.data.map((value) => -8192 * value) };
  closeAll(ringCorrelation(a, brighter).values, [...values].map((value) => -value), "negative");
  closeAll(ringCorrelation(b, a).values, [...values], "swapped");
});

Deno.test("shells of cubes are rings of squares where the volume does not change along its depth", () => {
  const [a, b] = [noise("plane", 32), sum(noise("plane", 32), noise("other", 32))];
  const tall = (image: Image): Image => ({
    shape: [32, 32, 32, 1],
    data: Float32Array.from({ length: 32 ** 3 }, (_, i) => image.data[i % 1024]),
  });
  const [rings, shells] = [ringCorrelation(a, b), ringCorrelation(tall(a), tall(b))];
  // The window along the depth spreads each frequency to its neighbours there: near, not equal.
  for (let ring = 2; ring < 16; ring++) {
    assert.ok(Math.abs(rings.values[ring] - shells.values[ring]) < 0.05, `shell ${ring}`);
  }
});

Deno.test("the first downward crossing counts, and what is not crossed has no resolution", () => {
  const [first, second] = [curve([1, 0.9, 0.5, 0.1, 0.5, 0]), curve([1, 0.9, 0.8, 0.8, 0.7, 0.1])];
  const crossed = resolutionOf(first, "1/7");
  const expected = 0.2 + 0.1 * (0.5 - 1 / 7) / 0.4;
  assert.ok("length" in crossed && Math.abs(crossed.length - 1 / expected) < 1e-12);
  assert.equal(crossed.atNyquist, false);
  const last = resolutionOf(second, "1/7");
  assert.ok("length" in last && last.atNyquist && last.length >= 2);
  assert.deepEqual(resolutionOf(curve([1, 1, 1, 0.9, 0.9]), "1/7"), {
    reason: "the correlation does not fall below 1/7 up to the Nyquist frequency",
  });
  assert.deepEqual(resolutionOf(curve([1, 0.1, 0.9, 0]), "1/7"), {
    reason: "the correlation is below 1/7 from the first ring on",
  });
});

Deno.test("half-bit asks for more where a ring has few frequencies, and for 0.17 where it has many", () => {
  const limits = thresholdOf({ ...curve([1, 1, 1]), counts: Float64Array.of(1, 100, 1e12) }, "half-bit");
  assert.ok(limits[0] > limits[1] && limits[1] > limits[2]);
  assert.ok(Math.abs(limits[2] - 0.2071 / 1.2071) < 1e-5);
});

Deno.test("frc-truth and frc-halves give nm, or null with the reason", () => {
  const truth = noise("band", 64, 0.5);
  const reconstruction = sum(truth, noise("error", 64), 0.3);
  const score = (reconstruction: Image, of = truth, pixelNm: number | undefined = 50) =>
    frcTruth({ threshold: "1/7", pixelNm }).score([{ sample: "a", reconstruction, truth: of }])[0];
  const { value } = score(reconstruction);
  assert.ok(value !== null && value > 150 && value < 250, `${value}`);
  const own = { sample: "a", reconstruction, truth, pixelNm: [50, 50] };
  assert.equal(frcTruth({ threshold: "1/7" }).score([own])[0].value, value);
  const halved = frcHalves({ threshold: "1/7", pixelNm: 50 });
  const [{ value: same }] = halved.score([{ sample: "a", reconstruction, halves: [reconstruction, truth] }]);
  assert.equal(same, value);
  const flat = { shape: truth.shape, data: new Float32Array(64 * 64).fill(3) };
  const reasons: [ReturnType<typeof score>, RegExp][] = [
    [score(truth), /identical/],
    [score(flat), /constant/],
    [frcTruth({ threshold: "1/7" }).score([{ sample: "a", reconstruction, truth }])[0], /how large a pixel/],
    [score(sum(truth, truth)), /does not fall below/],
    [score({ ...truth, data: truth.data.with(9, NaN) }), /not finite/],
    [halved.score([{ sample: "a", reconstruction }])[0], /no two halves/],
  ];
  for (const [{ value, reason }, expected] of reasons) {
    assert.equal(value, null);
    assert.match(reason!, expected);
  }
  const volume = { shape: [8, 8, 64, 1], data: truth.data };
  const shells = frcTruth({ threshold: "half-bit", pixelNm: [200, 50, 50], volumes: true });
  assert.deepEqual([shells.id, shells.convention, shells.unit, shells.better], [
    "fsc-truth",
    "half-bit",
    "nm",
    "lower",
  ]);
  const [shell] = shells.score([{
    sample: "a",
    reconstruction: { ...volume, data: reconstruction.data },
    truth: volume,
  }]);
  assert.ok(shell.value === null || shell.value >= 100);
});

Deno.test("images that cannot be compared are refused", () => {
  const image = noise("a", 16);
  const refused = (a: Image, b: Image, pixel: number | number[], kind: typeof TypeError, message: RegExp) =>
    assert.throws(() => ringCorrelation(a, b, pixel), (error: Error) => {
      assert.ok(error instanceof kind);
      assert.match(error.message, message);
      return true;
    });
  refused(image, noise("b", 32), 1, TypeError, /images \[16,16,1\] and \[32,32,1\]/);
  refused(image, { ...image, data: image.data.with(3, NaN) }, 1, RangeError, /not finite/);
  refused(image, image, 0, RangeError, /no size of a pixel/);
  refused(image, image, [1, 2, 3], RangeError, /no size of a pixel/);
  const colours = { shape: [16, 8, 2], data: image.data };
  refused(colours, colours, 1, TypeError, /an image \[16,8,2\]/);
  assert.throws(() => smoothed(curve([1, 1, 1, 0]), 5), /LOESS over 5 of 4 rings/);
});

/** An image `[64, 64]` brought to `factor` times its side by straight lines between the pixels' centres. */
function upsampled(values: ArrayLike<number>, factor: number): Image {
  const side = 64 * factor;
  const places = Array.from({ length: side }, (_, i) => {
    const at = Math.min(63, Math.max(0, (i + 0.5) / factor - 0.5));
    const low = Math.min(62, Math.floor(at));
    return { low, share: at - low };
  });
  const data = Float32Array.from({ length: side * side }, (_, i) => {
    const [down, across] = [places[Math.floor(i / side)], places[i % side]];
    const row = (y: number) =>
      (1 - across.share) * values[64 * y + across.low] + across.share * values[64 * y + across.low + 1];
    return (1 - down.share) * row(down.low) + down.share * row(down.low + 1);
  });
  return { shape: [side, side, 1], data };
}

Deno.test({
  name:
    "the average of the Deep-STORM frames resolves 190 nm of the true emitters, whatever it is upsampled by",
  ignore: !sharedExists,
}, async () => {
  const folder = `${sharedFolder}/smlm/deepstorm_microtubules`;
  const { frame, xNm, yNm } = await readLocalisations(`${folder}/ground_truth.csv`);
  // The frames that DEFAULTS.md, part D2, tests on; it found 188 nm and a correlation of .604.
  const first = frame.indexOf(240);
  using stack = await TiffStack.open(`${folder}/frames.tif`);
  const average = new Float64Array(64 * 64);
  for (let page = 240; page < 361; page++) {
    (await stack.page(page)).forEach((value, i) => average[i] += value);
  }
  for (const factor of [4, 8]) {
    const pixelNm = 100 / factor;
    const rendering = { height: 64 * factor, width: 64 * factor, pixelNm, sigmaNm: 25 };
    const truth = rendered({ xNm: xNm.subarray(first), yNm: yNm.subarray(first) }, rendering);
    const reconstruction = upsampled(average, factor);
    const [{ value }] = frcTruth({ threshold: "1/7", pixelNm }).score([{
      sample: "a",
      reconstruction,
      truth,
    }]);
    assert.ok(Math.abs(value! - 189.7) < 0.3, `${value} nm`);
    assert.ok(Math.abs((pearson(reconstruction, truth) as number) - 0.61) < 0.01);
  }
});
