import assert from "node:assert/strict";
import type { Image } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { hounsfieldRange } from "../metrics/hounsfield.ts";
import type { Case } from "../metrics/metric.ts";
import { nmse } from "../metrics/nmse.ts";
import { noiseHu, npsDistance } from "../metrics/noise.ts";
import { psnr } from "../metrics/psnr.ts";
import { rmseHu } from "../metrics/rmse_hu.ts";
import { ssim } from "../metrics/ssim.ts";
// Made by metrics_ct.py with scikit-image and numpy, which says how.
import golden from "./golden/metrics_ct.json" with { type: "json" };

const [slices, height, width] = golden.shape;

const subject = Array.from({ length: slices }, (_, slice): Case => {
  const image = (values: readonly number[]): Image => ({
    shape: [height, width, 1],
    data: Float32Array.from(values.slice(slice * height * width, (slice + 1) * height * width)),
  });
  return {
    sample: `${slice}`,
    truth: image(golden.truth),
    reconstruction: image(golden.reconstruction),
  };
});

function close(actual: number | null, expected: number, what: string, tolerance = 1e-9): void {
  assert.ok(
    actual !== null && Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)),
    `${what}: ${actual}, not ${expected}`,
  );
}

/** A picture of soft tissue with white noise of the given deviation. */
function tissue(deviation: number, name: string, size = 48): Image {
  const rng = stream(`test/tissue/${name}`);
  return {
    shape: [size, size, 1],
    data: Float32Array.from({ length: size * size }, () => 40 + deviation * rng.normal()),
  };
}

const plus = ({ shape, data }: Image, other: Image, weight = 1): Image => ({
  shape,
  data: data.map((value, i) => value + weight * (other.data[i] - 40)),
});

/** The mean of each pixel and its neighbours below and to the right. */
function smoothed({ shape, data }: Image): Image {
  const width = shape[1];
  const at = (i: number) => data[i % data.length];
  return {
    shape,
    data: data.map((_, i) => (at(i) + at(i + 1) + at(i + width) + at(i + width + 1)) / 4),
  };
}

Deno.test("psnr and ssim in CT windows and on the full range are scikit-image's on images mapped to [0, 1]", () => {
  for (const [convention, scores] of Object.entries(golden.conventions)) {
    for (const metric of [psnr(convention as "hu"), ssim(convention as "hu")]) {
      assert.equal(metric.convention, convention);
      metric.score(subject).forEach(({ sample, value }, i) => {
        assert.equal(sample, `${i}`);
        close(value, scores[i][metric.id as "psnr"], `${metric.id} ${convention}`);
      });
    }
  }
});

Deno.test("rmse-hu, noise-hu and nps-distance are numpy's, the last two one value a patient", () => {
  rmseHu.score(subject).forEach(({ value }, i) => close(value, golden["rmse-hu"][i], "rmse-hu"));
  for (const metric of [noiseHu, npsDistance]) {
    const scores = metric.score(subject);
    assert.equal(scores.length, 1);
    assert.equal(scores[0].sample, undefined);
    close(scores[0].value, golden[metric.id as "noise-hu"], metric.id);
  }
});

Deno.test("what lies outside a CT window on both sides does not count, and on the full range it does", () => {
  const truth = tissue(5, "truth");
  const [low, high] = [truth, truth].map(({ shape, data }) => ({ shape, data: Float32Array.from(data) }));
  for (const [image, air, bone] of [[low, -1000, 500], [high, -300, 900]] as const) {
    image.data.fill(air, 0, 200);
    image.data.fill(bone, 200, 400);
  }
  const scores = (convention: "hu" | "ct-window:40/600") =>
    psnr(convention).score([{ sample: "a", truth: low, reconstruction: high }])[0].value;
  assert.equal(scores("ct-window:40/600"), Infinity);
  assert.ok(scores("hu")! < 40);
});

Deno.test("captions name the window and its ends", () => {
  assert.match(
    psnr("ct-window:40/600").about,
    /in the window 40\/600 \(wide abdomen, −260 to 340 HU\), mapped to \[0, 1\], range 1/,
  );
  assert.match(ssim("ct-window:-600/1500").about, /window −600\/1500 \(lung, −1350 to 150 HU\)/);
  assert.match(ssim("ct-window:400/1800").about, /bone, −500 to 1300/);
  assert.match(ssim("ct-window:50/400").about, /\(abdomen, −150 to 250/);
  assert.match(psnr("ct-window:0/100").about, /window 0\/100 \(−50 to 50 HU\)/);
  assert.match(psnr("hu").about, /full range of 12 bits, −1024 to 3071 HU/);
});

Deno.test("a CT window that is none is refused, and a misspelt one gets a suggestion", () => {
  for (const window of ["", "40", "40/0", "40/-600", "abdomen", "40/600/2", "/600", "40/"]) {
    assert.throws(() => hounsfieldRange(`ct-window:${window}`), /no CT window[^]*e\.g\. ct-window:40\/600/);
  }
  assert.equal(hounsfieldRange("fastmri"), undefined);
  // deno-lint-ignore no-explicit-any -- what a user without types may write
  assert.throws(() => (psnr as any)("ct-windw:40/600"), /did you mean "ct-window:40\/600"/);
  // deno-lint-ignore no-explicit-any -- what a user without types may write
  assert.throws(() => (nmse as any)("hu"), /no convention "hu"/);
});

Deno.test("rmse-hu of a constant offset is the offset", () => {
  const truth = tissue(5, "truth");
  const reconstruction = { shape: truth.shape, data: truth.data.map((value) => value + 8) };
  close(rmseHu.score([{ sample: "a", truth, reconstruction }])[0].value, 8, "rmse-hu", 1e-6);
});

Deno.test("noise-hu is the noise that was added, whatever the mean and the air around", () => {
  const truth = tissue(0, "flat", 96);
  // Squares with some air are no soft tissue or not flat.
  truth.data.fill(-1000, 0, 30 * 96);
  for (const deviation of [3, 20, 45]) {
    const reconstruction = plus(truth, tissue(deviation, "noise", 96));
    const [{ value }] = noiseHu.score([{ sample: "a", truth, reconstruction }]);
    assert.ok(Math.abs(value! / deviation - 1) < 0.05, `${value} for ${deviation}`);
  }
});

Deno.test("noise-hu and nps-distance do not take a slope for noise", () => {
  const truth = tissue(5, "truth");
  const tilted = {
    shape: truth.shape,
    data: truth.data.map((value, i) => value + 3 * (i % 48) - Math.floor(i / 48)),
  };
  const of = (metric: typeof noiseHu, reconstruction: Image) =>
    metric.score([{ sample: "a", truth, reconstruction }])[0].value!;
  close(of(noiseHu, tilted), of(noiseHu, truth), "noise-hu", 1e-6);
  close(of(npsDistance, tilted), 0, "nps-distance", 1e-5);
});

Deno.test("nps-distance is zero for the truth, and for other noise of the same spectrum nearly so", () => {
  const flat = tissue(0, "flat", 128);
  const [truth, other] = [plus(flat, tissue(15, "one", 128)), plus(flat, tissue(15, "other", 128))];
  const of = (reconstruction: Image) => npsDistance.score([{ sample: "a", truth, reconstruction }])[0].value!;
  assert.equal(of(truth), 0);
  assert.ok(of(other) < 0.5, `${of(other)}`);
});

/** Noise of 15 HU of two textures: white, and of neighbouring pixels alike. */
const textures = {
  white: (name: string) => tissue(15, name, 160),
  coloured: (name: string) => smoothed(tissue(30, name, 160)),
};
for (const [texture, made] of Object.entries(textures)) {
  Deno.test(`squares are not chosen for the noise that is measured in them: ${texture}, a truth's is what other noise of its law has`, () => {
    const flat = tissue(0, "flat", 160);
    const truth = made("one");
    const of = (metric: typeof noiseHu, reconstruction: Image) =>
      metric.score([{ sample: "a", truth, reconstruction }])[0].value!;
    const own = of(noiseHu, truth);
    for (const name of ["other", "third", "fourth"]) {
      const other = made(name);
      const found = of(noiseHu, other);
      assert.ok(Math.abs(own / found - 1) < 0.05, `${own} of the truth, ${found} of the other`);
      const [less, right, more] = [0.8, 1, 1.2].map((weight) => of(npsDistance, plus(flat, other, weight)));
      assert.ok(right + 0.7 < less && right + 0.7 < more, `${less}, ${right}, ${more}`);
    }
  });
}

Deno.test("nps-distance gets worse with smoothing and worse with noise, while smoothing lowers noise-hu", () => {
  const truth = plus(tissue(0, "flat", 96), tissue(12, "texture", 96));
  const score = (metric: typeof npsDistance, reconstruction: Image) =>
    metric.score([{ sample: "a", truth, reconstruction }])[0].value!;
  const [once, twice] = [smoothed(truth), smoothed(smoothed(truth))];
  const [some, more] = [20, 60].map((deviation) => plus(truth, tissue(deviation, "more", 96)));
  for (const [better, worse] of [[truth, once], [once, twice], [truth, some], [some, more]]) {
    assert.ok(score(npsDistance, better) + 1 < score(npsDistance, worse));
  }
  assert.ok(score(noiseHu, once) < score(noiseHu, truth) / 1.5);
});

Deno.test("nps-distance of white noise is the ratio of its variances, with 1 HU² added, in dB", () => {
  const truth = tissue(0, "flat", 128);
  const reconstruction = plus(truth, tissue(30, "noise", 128));
  const [{ value }] = npsDistance.score([{ sample: "a", truth, reconstruction }]);
  close(value, 10 * Math.log10(900 + 1), "nps-distance", 0.02);
});

Deno.test("noise-hu and nps-distance have no value, and a reason, where there is no tissue or nothing is flat", () => {
  const air = { shape: [16, 16, 1], data: new Float32Array(256).fill(-1000) };
  const small = tissue(1, "small", 7);
  const rough = tissue(120, "rough", 32);
  for (const metric of [noiseHu, npsDistance]) {
    const reasonOf = (truth: Image) => metric.score([{ sample: "a", truth, reconstruction: truth }])[0];
    for (const truth of [air, small]) assert.match(reasonOf(truth).reason!, /no soft tissue of 8x8 pixels/);
    assert.match(reasonOf(rough).reason!, /nowhere flat[^]*within 40 HU/);
    assert.equal(reasonOf(rough).value, null);
    assert.match(metric.score([{ sample: "a", reconstruction: air }])[0].reason!, /the truth is unknown/);
  }
});
