import assert from "node:assert/strict";
import type { Image } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { dataConsistency, measuredSpaceError, nullSpaceError } from "../metrics/data_consistency.ts";
import type { Case, Metric } from "../metrics/metric.ts";
import { nmse } from "../metrics/nmse.ts";
import { peakSignalToNoise, psnr } from "../metrics/psnr.ts";
import { gaussianWindow, ssim, structuralSimilarity, uniformWindow } from "../metrics/ssim.ts";
// Made by metrics.py with scikit-image, which says how.
import golden from "./golden/metrics.json" with { type: "json" };

type Golden = typeof golden.cases[number];

function subjectOf({ shape: [slices, height, width], truth, reconstruction }: Golden): Case[] {
  const size = height * width;
  const image = (values: number[], slice: number): Image => ({
    shape: [height, width, 1],
    data: Float32Array.from(values.slice(slice * size, (slice + 1) * size)),
  });
  return Array.from({ length: slices }, (_, slice) => ({
    sample: `${slice}`,
    truth: image(truth, slice),
    reconstruction: image(reconstruction, slice),
  }));
}

function noise(name: string, height = 16, width = 16): Image {
  const rng = stream(name);
  return {
    shape: [height, width, 1],
    data: Float32Array.from({ length: height * width }, () => 1 + 0.3 * rng.normal()),
  };
}

function close(actual: number | null, expected: number, what: string): void {
  assert.ok(
    actual !== null && Math.abs(actual - expected) < 1e-10 * Math.max(1, Math.abs(expected)),
    `${what}: ${actual}, not ${expected}`,
  );
}

/** Every metric that compares with the truth. */
const ofTruth: readonly Metric[] = [
  psnr("fastmri"),
  psnr("paper"),
  psnr("wang2004", { range: "truth-maximum" }),
  ssim("fastmri"),
  ssim("paper"),
  ssim("wang2004", { range: "truth-maximum" }),
  nmse("fastmri"),
  nmse("paper"),
];

Deno.test("psnr, ssim and nmse by fastmri are scikit-image's and fastMRI's, one value a volume", () => {
  for (const one of golden.cases) {
    for (const metric of [psnr("fastmri"), ssim("fastmri"), nmse("fastmri")]) {
      const scores = metric.score(subjectOf(one));
      assert.equal(scores.length, 1);
      assert.equal(scores[0].sample, undefined);
      close(scores[0].value, one.fastmri[metric.id as "psnr"], metric.id);
    }
  }
});

Deno.test("a volume that is one sample has scikit-image's mean SSIM over its slices", () => {
  for (const one of golden.cases) {
    const subject = subjectOf(one);
    const joined = (images: readonly Image[]): Image => ({
      shape: [images.length, ...images[0].shape],
      data: Float32Array.from(images.flatMap(({ data }) => [...data])),
    });
    const pair = {
      truth: joined(subject.map(({ truth }) => truth!)),
      reconstruction: joined(subject.map(({ reconstruction }) => reconstruction)),
    };
    const range = Math.max(...pair.truth.data);
    const options = { range, window: uniformWindow(7), sampleCovariance: true };
    close(structuralSimilarity(pair, options), one.fastmri.ssim, "ssim");
  }
});

Deno.test("psnr, ssim and nmse by wang2004 are scikit-image's for the given range, one value an image", () => {
  for (const one of golden.cases) {
    const { range } = one;
    for (const metric of [psnr("wang2004", { range }), ssim("wang2004", { range }), nmse("wang2004")]) {
      const scores = metric.score(subjectOf(one));
      assert.deepEqual(scores.map(({ sample }) => sample), subjectOf(one).map(({ sample }) => sample));
      scores.forEach(({ value }, i) => close(value, one.wang2004[i][metric.id as "psnr"], metric.id));
    }
  }
});

Deno.test("psnr and ssim by the paper are its equations 43 and 44, one value an image", () => {
  for (const one of golden.cases) {
    for (const metric of [psnr("paper"), ssim("paper")]) {
      metric.score(subjectOf(one)).forEach(({ value }, i) => {
        close(value, one.paper[i][metric.id as "psnr"], metric.id);
      });
    }
  }
});

Deno.test("a perfect reconstruction has PSNR Infinity, SSIM 1 and NMSE 0", () => {
  const truth = noise("truth");
  for (const metric of ofTruth) {
    const [{ value }] = metric.score([{ sample: "a", truth, reconstruction: truth }]);
    if (metric.id === "psnr") assert.equal(value, Infinity);
    if (metric.id === "ssim") close(value, 1, metric.convention);
    if (metric.id === "nmse") assert.equal(value, 0);
  }
});

Deno.test("metrics whose range is the truth's do not change with the unit of the values", () => {
  const [truth, reconstruction] = [noise("truth"), noise("reconstruction")];
  const times = ({ shape, data }: Image): Image => ({ shape, data: data.map((value) => value * 1024) });
  for (const metric of ofTruth) {
    const [here] = metric.score([{ sample: "a", truth, reconstruction }]);
    const [there] = metric.score([{
      sample: "a",
      truth: times(truth),
      reconstruction: times(reconstruction),
    }]);
    close(there.value, here.value!, metric.id);
  }
});

Deno.test("metrics get worse with every bit of noise", () => {
  const [truth, error] = [noise("truth"), noise("error")];
  for (const metric of ofTruth) {
    const values = [0.05, 0.1, 0.2, 0.4].map((share) => {
      const data = truth.data.map((value, i) => value + share * (error.data[i] - 1));
      return metric.score([{ sample: "a", truth, reconstruction: { shape: truth.shape, data } }])[0].value!;
    });
    const worse = values.slice(1).every((value, i) =>
      metric.better === "higher" ? value < values[i] : value > values[i]
    );
    assert.ok(worse, `${metric.id} ${metric.convention}: ${values}`);
  }
});

Deno.test("without a truth a metric has no value, and says so", () => {
  const reconstruction = noise("reconstruction");
  for (const metric of ofTruth) {
    const [{ value, reason }] = metric.score([{ sample: "07", reconstruction }]);
    assert.equal(value, null);
    assert.match(reason!, /the truth is unknown/);
  }
});

Deno.test("a volume with one unknown truth has no value, and names the slice", () => {
  const truth = noise("truth");
  const subject = [{ sample: "06", truth, reconstruction: truth }, { sample: "07", reconstruction: truth }];
  assert.deepEqual(psnr("fastmri").score(subject), [
    { value: null, reason: 'sample "07": the truth is unknown' },
  ]);
});

Deno.test("an empty image or a value that is not a number gives no score, and a reason", () => {
  const truth = noise("truth");
  const broken = { shape: truth.shape, data: truth.data.map((value, i) => i === 3 ? NaN : value) };
  const empty = { shape: truth.shape, data: new Float32Array(truth.data.length) };
  for (const metric of ofTruth) {
    const [first] = metric.score([{ sample: "a", truth, reconstruction: broken }]);
    assert.equal(first.value, null);
    assert.match(first.reason!, /the reconstruction holds values that are not finite/);
    const [second] = metric.score([{ sample: "a", truth: empty, reconstruction: truth }]);
    assert.equal(second.value, null);
    assert.match(second.reason!, /the truth (has no positive value|is zero everywhere)/);
  }
});

Deno.test("structuralSimilarity() refuses even and oversized windows, several channels and a bad range", () => {
  const truth = noise("truth", 9, 12);
  const pair = { truth, reconstruction: truth };
  const options = { range: 1, window: uniformWindow(7), sampleCovariance: true };
  assert.throws(
    () => structuralSimilarity(pair, { ...options, window: uniformWindow(8) }),
    /window of 8 pixels has no centre[^]*odd/,
  );
  assert.throws(
    () => structuralSimilarity(pair, { ...options, window: gaussianWindow(11, 1.5) }),
    /window of 11 pixels is larger than an image of 9x12/,
  );
  for (const range of [0, NaN, -1]) {
    assert.throws(() => structuralSimilarity(pair, { ...options, range }), /cannot have the range/);
    assert.throws(() => peakSignalToNoise([pair], range), /cannot have the range/);
  }
  const two = { shape: [9, 6, 2], data: truth.data };
  assert.throws(
    () => structuralSimilarity({ truth: two, reconstruction: two }, { ...options, window: uniformWindow(3) }),
    /one channel/,
  );
});

Deno.test("psnr() and ssim() refuse wang2004 without a range, and unknown conventions", () => {
  // deno-lint-ignore no-explicit-any -- what a user without types may write
  const [anyPsnr, anySsim] = [psnr as any, ssim as any];
  assert.throws(() => anySsim("wang2004"), /needs the range of the values/);
  assert.throws(() => anyPsnr("wang2004"), /needs the range of the values/);
  assert.throws(() => anyPsnr("fastmr"), /did you mean "fastmri"/);
});

Deno.test("a metric refuses images of two sizes, and says which", () => {
  const subject = [{ sample: "07", truth: noise("a", 16, 16), reconstruction: noise("b", 16, 15) }];
  for (const metric of ofTruth) {
    assert.throws(() => metric.score(subject), /\[16,15,1\] cannot be compared[^]*sample "07"/);
  }
});

Deno.test("dataConsistency is the residual over the measurement, worked out by hand", () => {
  const reconstruction = noise("any");
  const of = (residual: number, measurement: number) =>
    dataConsistency.score([{ sample: "a", reconstruction, measured: { residual, measurement } }])[0];
  assert.deepEqual(of(2, 5), { sample: "a", value: 0.4 });
  assert.deepEqual(of(2, 0), { sample: "a", value: null, reason: "the measurement is zero everywhere" });
  for (const [residual, measurement] of [[NaN, 5], [2, Infinity]]) {
    assert.match(of(residual, measurement).reason!, /not finite/);
  }
  assert.deepEqual(dataConsistency.score([{ sample: "a", reconstruction }]), [
    { sample: "a", value: null, reason: "the operator is unknown" },
  ]);
});

Deno.test("nullSpaceError and measuredSpaceError are the parts of the error over the truth, worked out by hand", () => {
  const truth = noise("any");
  const error = { seen: 2, unseen: 5, truth: 10 };
  const subject = [{ sample: "a", reconstruction: truth, truth, error }];
  assert.deepEqual(nullSpaceError.score(subject), [{ sample: "a", value: 0.5 }]);
  assert.deepEqual(measuredSpaceError.score(subject), [{ sample: "a", value: 0.2 }]);
  const [{ value, reason }] = nullSpaceError.score([{ sample: "a", reconstruction: truth }]);
  assert.deepEqual([value, reason], [null, "the truth is unknown"]);
});
