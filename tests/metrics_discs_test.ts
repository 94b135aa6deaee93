import assert from "node:assert/strict";
import type { Image } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { samples } from "../datasets/dataset.ts";
import { discs } from "../datasets/discs.ts";
import { type Ellipse, rasterOf } from "../datasets/ellipses.ts";
import { centroidError, edgeWidth, plateau } from "../metrics/disc_shape.ts";
import { discsOf, reach } from "../metrics/discs.ts";
import type { Metric } from "../metrics/metric.ts";
import { psnrLabel, psnrObject } from "../metrics/psnr_misaligned.ts";

const matrix = 64;

/** A disc by its centre and radius in pixels. */
function disc(row: number, column: number, radius: number, value = 1): Ellipse {
  const pixel = 2 / matrix;
  return {
    x: (column + 0.5) * pixel - 1,
    y: 1 - (row + 0.5) * pixel,
    a: radius * pixel,
    b: radius * pixel,
    tilt: 0,
    value,
  };
}

const picture = (...ellipses: Ellipse[]) => rasterOf(ellipses, matrix);

function scoreOf(metric: Metric, truth: Image, reconstruction: Image): number | null {
  return metric.score([{ sample: "a", truth, reconstruction }])[0].value;
}

const mapped = ({ shape, data }: Image, f: (value: number, at: number) => number): Image => ({
  shape,
  data: data.map(f),
});

const moved = (image: Image, rows: number, columns: number) =>
  mapped(image, (_, at) => image.data[at - rows * matrix - columns] ?? 0);

/** Convolved with a kernel of odd length along both axes, zeros outside. */
function blurred(image: Image, kernel: readonly number[]): Image {
  const middle = (kernel.length - 1) / 2;
  const along = ({ data }: Image, step: number, place: (at: number) => number) =>
    mapped(image, (_, at) =>
      kernel.reduce((sum, weight, i) => {
        const to = place(at) + i - middle;
        return to < 0 || to >= matrix ? sum : sum + weight * data[at + (i - middle) * step];
      }, 0));
  return along(along(image, 1, (at) => at % matrix), matrix, (at) => Math.floor(at / matrix));
}

function gaussian(sigma: number): number[] {
  const reach = Math.ceil(4 * sigma);
  const weights = Array.from(
    { length: 2 * reach + 1 },
    (_, i) => Math.exp(-((i - reach) ** 2) / 2 / sigma ** 2),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

const box = (width: number) => Array.from({ length: width }, () => 1 / width);

const near = (actual: number | null, expected: number, tolerance: number) =>
  assert.ok(actual !== null && Math.abs(actual - expected) <= tolerance, `${actual}, not ${expected}`);

Deno.test("discsOf() finds every disc, its middle and its radius, in the order of their first pixels", () => {
  const found = discsOf(picture(disc(15.3, 20.8, 8.2), disc(40, 12, 3), disc(44.5, 50.25, 5.5, 1.5)));
  assert.equal(found.length, 3);
  const radii = [8.2, 3, 5.5];
  found.forEach(({ middle, radius }, i) => {
    const [row, column] = [[15.3, 20.8], [40, 12], [44.5, 50.25]][i];
    near(middle[0], row, 0.15);
    near(middle[1], column, 0.15);
    near(radius, radii[i], 0.6);
  });
});

Deno.test("the embedded discs themselves have plateau 1, no centroid error, and the narrowest edge there is", async () => {
  for await (
    const { image } of samples(discs({ subjects: 12, slices: 2, matrix, shift: 5, stream: "test" }))
  ) {
    assert.equal(scoreOf(plateau, image!, image!), 1);
    assert.equal(scoreOf(centroidError, image!, image!), 0);
    near(scoreOf(edgeWidth, image!, image!), 0.9, 0.15);
  }
});

Deno.test("centroid-error of moved discs is how far they were moved, however many, and whatever their height", () => {
  const truth = picture(disc(15, 16, 7), disc(42, 40, 4));
  for (const [rows, columns] of [[3, -2], [0, 4], [-1, 0]]) {
    const there = moved(truth, rows, columns);
    near(scoreOf(centroidError, truth, there), Math.hypot(rows, columns), 1e-6);
    near(
      scoreOf(centroidError, truth, mapped(there, (value) => 0.4 * value)),
      Math.hypot(rows, columns),
      1e-6,
    );
  }
  // One disc of two moved by five pixels: the mean over both.
  const one = picture(disc(15, 16, 7), disc(45, 44, 4));
  near(scoreOf(centroidError, truth, one), 2.5, 0.02);
});

Deno.test("a smear to all sides and noise beside the disc leave the centroid where it is", () => {
  const truth = picture(disc(20.4, 20.7, 6), disc(45.2, 41.1, 4.3));
  near(scoreOf(centroidError, truth, blurred(truth, box(11))), 0, 0.15);
  const rng = stream("test/discs/noise");
  const noisy = mapped(truth, (value) => value + 0.08 * rng.normal());
  near(scoreOf(centroidError, truth, noisy), 0, 0.3);
});

Deno.test("edge-width of a Gaussian blur is 1.683 σ, with what pixels and interpolation add", () => {
  const truth = picture(disc(31.5, 31.5, 18));
  for (const sigma of [1, 1.5, 2, 3]) {
    const found = scoreOf(edgeWidth, truth, blurred(truth, gaussian(sigma)));
    // Variances add: a pixel's area has 1/12 px², interpolation between pixels about 1/6 px².
    near(found, 1.683 * Math.sqrt(sigma ** 2 + 1 / 12 + 1 / 6), 0.05 * sigma);
  }
});

Deno.test("edge-width does not change with height, background, place or the number of discs", () => {
  const blur = gaussian(1.5);
  const truth = picture(disc(20, 20, 8));
  const image = blurred(truth, blur);
  const reference = scoreOf(edgeWidth, truth, image)!;
  near(scoreOf(edgeWidth, truth, mapped(image, (value) => 0.3 * value + 0.1)), reference, 1e-3);
  near(scoreOf(edgeWidth, truth, moved(image, 2, 3)), reference, 1e-3);
  const two = picture(disc(20, 20, 8), disc(20, 44, 8));
  near(scoreOf(edgeWidth, two, blurred(two, blur)), reference, 0.02);
});

Deno.test("plateau is the height that a reconstruction keeps: of half the value a half, of a smear less than 1", () => {
  const truth = picture(disc(20, 20, 8), disc(45, 45, 3));
  near(scoreOf(plateau, truth, mapped(truth, (value) => value / 2)), 0.5, 1e-6);
  near(scoreOf(plateau, truth, mapped(truth, (value) => 3 * value)), 3, 1e-6);
  const smear = scoreOf(plateau, truth, blurred(truth, box(11)))!;
  assert.ok(smear > 0.3 && smear < 0.8, `${smear}`);
  assert.ok(scoreOf(edgeWidth, truth, blurred(truth, box(11)))! > 3 * scoreOf(edgeWidth, truth, truth)!);
});

Deno.test("psnr-object and psnr-label are what they say, worked out by hand, in the object's range", () => {
  const image = (...data: number[]): Image => ({ shape: [1, 4, 1], data: Float32Array.from(data) });
  const one = {
    sample: "a",
    truth: image(0, 2, 2, 0),
    label: image(0, 0, 4, 0),
    reconstruction: image(0, 1, 2, 0),
  };
  // Mean squares 1/4 and (1 + 4)/4, range 2.
  near(psnrObject.score([one])[0].value, 10 * Math.log10(4 / 0.25), 1e-9);
  near(psnrLabel.score([one])[0].value, 10 * Math.log10(4 / 1.25), 1e-9);
  const { label: _, ...aligned } = one;
  assert.deepEqual(psnrLabel.score([aligned]), psnrObject.score([aligned]));
  const { truth: __, ...unknown } = one;
  assert.match(psnrLabel.score([unknown])[0].reason!, /truth is unknown/);
});

Deno.test("a smear over the label's shifts beats the object against labels, and loses against the object", async () => {
  let [object, label] = [0, 0];
  for await (const sample of samples(discs({ subjects: 20, slices: 1, matrix, shift: 5, stream: "test" }))) {
    const [truth, smear] = [sample.image!, blurred(sample.image!, box(11))];
    const of = (metric: Metric, reconstruction: Image) =>
      metric.score([{ sample: "a", truth, label: sample.label!, reconstruction }])[0].value!;
    assert.equal(of(psnrObject, truth), Infinity);
    label += of(psnrLabel, smear) - of(psnrLabel, truth);
    object += of(psnrObject, smear);
  }
  assert.ok(label / 20 > 1, `the smear is ${label / 20} dB above the object`);
  assert.ok(object / 20 < 30);
});

Deno.test("what cannot be measured of discs has no value, and a reason", () => {
  const truth = picture(disc(31, 31, 8));
  const nothing = mapped(truth, () => 0);
  const reason = (metric: Metric, of: Image, reconstruction: Image) => {
    const [score] = metric.score([{ sample: "a", truth: of, reconstruction }]);
    assert.equal(score.value, null);
    return score.reason!;
  };
  for (const metric of [plateau, edgeWidth, centroidError]) {
    assert.match(reason(metric, nothing, truth), /the truth shows no disc/);
  }
  const everywhere = mapped(truth, () => 1);
  assert.match(reason(edgeWidth, everywhere, everywhere), /no disc of the truth has an edge that can be/);
  assert.match(reason(psnrObject, nothing, truth), /no positive value/);
  assert.match(reason(plateau, picture(disc(31, 31, 0.9)), nothing), /so wide that it has an inside/);
});

Deno.test("a lost disc has the worst edge and place that there can be, whatever became of the others", () => {
  const [kept, gone] = [disc(15, 16, 7), disc(42, 40, 4)];
  const [truth, one] = [picture(kept, gone), picture(kept)];
  const nothing = mapped(truth, () => 0);
  const [radius, radiusGone] = discsOf(truth).map(({ radius }) => radius);
  const edge = scoreOf(edgeWidth, one, one)!;
  near(scoreOf(edgeWidth, truth, one), (edge + radiusGone + reach) / 2, 1e-3);
  near(scoreOf(centroidError, truth, one), (radiusGone + reach) / 2, 1e-6);
  for (const metric of [edgeWidth, centroidError]) {
    near(scoreOf(metric, truth, nothing), (radius + radiusGone) / 2 + reach, 1e-6);
    const faint = mapped(truth, (value, at) => at < 32 * matrix ? value : 0.05 * value);
    near(scoreOf(metric, truth, faint), scoreOf(metric, truth, one)!, 1e-3);
    const smear = blurred(blurred(truth, box(11)), box(11));
    assert.ok(scoreOf(metric, truth, smear)! < scoreOf(metric, truth, nothing)!);
  }
  // A slope that never falls to 20 % before the search ends is no edge.
  const slope = mapped(
    one,
    (_, at) => 1 - 0.01 * Math.hypot(Math.floor(at / matrix) - 15, at % matrix - 16),
  );
  near(scoreOf(edgeWidth, one, slope), radius + reach, 1e-6);
});

Deno.test("a disc whose edge the truth itself does not show is left out of edge-width", () => {
  const one = picture(disc(15, 16, 7));
  // On its plateau the second falls to 40 %, and no further up to where the search ends.
  const truth = picture(disc(15, 16, 7), disc(42, 42, 18, 0.4), disc(42, 42, 4, 0.6));
  assert.equal(discsOf(truth).length, 2);
  near(scoreOf(edgeWidth, truth, one), scoreOf(edgeWidth, one, one)!, 1e-3);
});
