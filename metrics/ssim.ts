/** Structural similarity (Wang et al. 2004, doi:10.1109/TIP.2003.819861). */

import { explain } from "../core/errors.ts";
import type { Image } from "../core/image.ts";
import {
  type Convention,
  rangeOf,
  requireConvention,
  requirePositive,
  requireRange,
  type ValueRange,
  wordsOf,
} from "./conventions.ts";
import { type HounsfieldConvention, hounsfieldConventions, hounsfieldRange, shownIn } from "./hounsfield.ts";
import type { Metric, MetricHead } from "./metric.ts";
import { maximum, type Outcome, type Pair, scoreImages, scoreVolume } from "./scoring.ts";

const about: Readonly<Record<Convention, string>> = {
  fastmri:
    "SSIM with scikit-image's defaults (7x7 uniform window, sample covariance), range the largest value of the " +
    "true volume, mean over its slices (fastMRI, Zbontar et al. 2018)",
  wang2004: "SSIM with a Gaussian window of 11 taps, σ 1.5, of each image (Wang et al. 2004)",
  paper:
    "SSIM from the statistics of the whole image, range its largest true value (Sim et al. 2020, eq. 44)",
};

/**
 * SSIM under a convention of METRICS.md.
 *
 * @throws {TypeError} where `wang2004` is not given its range, and for a CT window that is none.
 */
export function ssim(convention: "fastmri" | "paper" | HounsfieldConvention): Metric;
/** SSIM for a range of values that is given, or taken from the truth of each image. */
export function ssim(convention: "wang2004", options: { readonly range: ValueRange }): Metric;
export function ssim(
  convention: Convention | HounsfieldConvention,
  { range = undefined as ValueRange | undefined } = {},
): Metric {
  const common = { id: "ssim", convention, unit: "", better: "higher" } as const;
  const shown = hounsfieldRange(convention);
  if (shown !== undefined) {
    // As Eulig et al. 2024 (doi:10.1002/mp.17379) score windowed CT: scikit-image's defaults.
    const options = { range: shown.width, window: uniformWindow(7), sampleCovariance: true };
    return {
      ...common,
      about:
        `SSIM with scikit-image's defaults (7x7 uniform window, sample covariance) of each image ${shown.words}`,
      score: (subject) => scoreImages(subject, (pair) => structuralSimilarity(shownIn(shown, pair), options)),
    };
  }
  const known = requireConvention("ssim", convention as Convention, about, hounsfieldConventions);
  const head: MetricHead = { ...common, about: about[known] };
  switch (known) {
    case "fastmri":
      return { ...head, score: (subject) => scoreVolume(subject, meanOverSlices) };
    case "paper":
      return {
        ...head,
        score: (subject) =>
          scoreImages(
            subject,
            (pair) => within(maximum([pair.truth]), (range) => globalSimilarity(pair, range)),
          ),
      };
    case "wang2004": {
      requireRange("ssim", range);
      const given = range;
      const caption = `${head.about}, ${wordsOf(given)}`;
      const local = (pair: Pair, range: number) =>
        structuralSimilarity(pair, { range, window: gaussianWindow(11, 1.5), sampleCovariance: false });
      return {
        ...head,
        about: caption,
        score: (subject) =>
          scoreImages(subject, (pair) => within(rangeOf(pair.truth, given), (range) => local(pair, range))),
      };
    }
  }
}

/** How {@linkcode structuralSimilarity} is computed. */
export interface SimilarityOptions {
  /** Difference between the greatest and the least value that images can have. */
  readonly range: number;
  /** Weights along one side of a square window, which is their product; an odd number, of sum 1. */
  readonly window: Float64Array;
  /** Whether (co)variances are those of a sample, N/(N − 1) times the window's. */
  readonly sampleCovariance: boolean;
}

// Wang et al. 2004, section III-B: c₁ = (K₁ L)², c₂ = (K₂ L)² with L the range.
const [K1, K2] = [0.01, 0.03];

/**
 * Mean SSIM over all places where the window lies within the image, or within a slice of the volume.
 *
 * @throws {RangeError} where the window is even or larger than the image, or the range not positive.
 * @throws {TypeError} where the image has several channels.
 */
export function structuralSimilarity(pair: Pair, options: SimilarityOptions): number {
  const { reconstruction, truth } = pair;
  const { range, window, sampleCovariance } = options;
  if (truth.shape.length === 4) {
    const depth = truth.shape[0];
    let sum = 0;
    for (let z = 0; z < depth; z++) {
      const slice = { reconstruction: sliceOf(reconstruction, z), truth: sliceOf(truth, z) };
      sum += structuralSimilarity(slice, options);
    }
    return sum / depth;
  }
  const [height, width, channels] = truth.shape;
  requirePositive("SSIM", range);
  requireWindow(window.length, height, width);
  if (truth.shape.length !== 3 || channels !== 1) {
    throw new TypeError(explain({
      what: `SSIM compares images of one channel, not [${truth.shape}]`,
      where: "ssim",
      fix: "take magnitudes first",
    }));
  }
  const [a, b] = [reconstruction.data, truth.data];
  const mean = (value: (at: number) => number) => windowed(height, width, window, value);
  const [meanA, meanB] = [mean((at) => a[at]), mean((at) => b[at])];
  const [meanAA, meanBB] = [mean((at) => a[at] * a[at]), mean((at) => b[at] * b[at])];
  const meanAB = mean((at) => a[at] * b[at]);
  const count = window.length ** 2;
  const unbiased = sampleCovariance ? count / (count - 1) : 1;
  let sum = 0;
  for (let at = 0; at < meanA.length; at++) {
    sum += similarity({
      means: [meanA[at], meanB[at]],
      variances: [
        unbiased * (meanAA[at] - meanA[at] ** 2),
        unbiased * (meanBB[at] - meanB[at] ** 2),
      ],
      covariance: unbiased * (meanAB[at] - meanA[at] * meanB[at]),
    }, range);
  }
  return sum / meanA.length;
}

function sliceOf({ shape: [depth, ...shape], data }: Image, z: number): Image {
  const size = data.length / depth;
  return { shape, data: data.subarray(z * size, (z + 1) * size) };
}

/** A window of equal weights. */
export function uniformWindow(size: number): Float64Array {
  return new Float64Array(size).fill(1 / size);
}

/** A Gaussian window of `size` taps, σ in pixels. */
export function gaussianWindow(size: number, sigma: number): Float64Array {
  const centre = (size - 1) / 2;
  const weights = Float64Array.from(
    { length: size },
    (_, i) => Math.exp(-((i - centre) ** 2) / (2 * sigma ** 2)),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function meanOverSlices(volume: readonly Pair[]): Outcome {
  const window = uniformWindow(7);
  return within(maximum(volume.map(({ truth }) => truth)), (range) => {
    const each = volume.map((pair) => structuralSimilarity(pair, { range, window, sampleCovariance: true }));
    return each.reduce((sum, value) => sum + value, 0) / each.length;
  });
}

/** Eq. 44 of Sim et al. 2020: one mean, variance and covariance (of the population) for the whole image. */
function globalSimilarity({ reconstruction, truth }: Pair, range: number): number {
  const mean = (image: Image) => image.data.reduce((sum, value) => sum + value, 0) / image.data.length;
  const means = [mean(reconstruction), mean(truth)] as const;
  const moment = (a: Image, meanOfA: number, b: Image, meanOfB: number) =>
    a.data.reduce((sum, value, i) => sum + (value - meanOfA) * (b.data[i] - meanOfB), 0) / a.data.length;
  return similarity({
    means,
    variances: [
      moment(reconstruction, means[0], reconstruction, means[0]),
      moment(truth, means[1], truth, means[1]),
    ],
    covariance: moment(reconstruction, means[0], truth, means[1]),
  }, range);
}

/** Eq. 13 of Wang et al. 2004. */
function similarity(
  { means: [a, b], variances: [aa, bb], covariance }: {
    readonly means: readonly [number, number];
    readonly variances: readonly [number, number];
    readonly covariance: number;
  },
  range: number,
): number {
  const [c1, c2] = [(K1 * range) ** 2, (K2 * range) ** 2];
  return (2 * a * b + c1) * (2 * covariance + c2) / ((a * a + b * b + c1) * (aa + bb + c2));
}

/** Weighted means under a square window, at every place where it lies within the image; in float64. */
function windowed(
  height: number,
  width: number,
  window: Float64Array,
  value: (at: number) => number,
): Float64Array {
  const size = window.length;
  const [rows, columns] = [height - size + 1, width - size + 1];
  const along = new Float64Array(height * columns);
  const line = new Float64Array(width);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) line[column] = value(row * width + column);
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += window[i] * line[column + i];
      along[row * columns + column] = sum;
    }
  }
  const means = new Float64Array(rows * columns);
  for (let i = 0; i < size; i++) {
    const shift = i * columns;
    for (let at = 0; at < means.length; at++) means[at] += window[i] * along[at + shift];
  }
  return means;
}

function within(range: number, score: (range: number) => number): Outcome {
  return range > 0 ? score(range) : { reason: "the truth has no positive value" };
}

function requireWindow(size: number, height: number, width: number): void {
  if (size % 2 === 0 || size > Math.min(height, width)) {
    throw new RangeError(explain({
      what: size % 2 === 0
        ? `an SSIM window of ${size} pixels has no centre`
        : `an SSIM window of ${size} pixels is larger than an image of ${height}x${width}`,
      where: "ssim",
      fix: size % 2 === 0
        ? "take an odd window"
        : `take images of at least ${size}x${size}, or another convention`,
    }));
  }
}
