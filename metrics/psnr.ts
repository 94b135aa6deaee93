/** Peak signal-to-noise ratio. */

import { squaredDistance } from "../core/image.ts";
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
    "PSNR of each volume, its range the largest value of the true volume (fastMRI, Zbontar et al. 2018)",
  paper: "PSNR of each image, its range the image's largest true value (Sim et al. 2020, eq. 43)",
  wang2004: "PSNR of each image",
};

/**
 * PSNR under a convention of METRICS.md. A perfect reconstruction has `Infinity`.
 *
 * @throws {TypeError} where `wang2004` is not given its range, and for a CT window that is none.
 */
export function psnr(convention: "fastmri" | "paper" | HounsfieldConvention): Metric;
/** PSNR for a range of values that is given, or taken from the truth of each image. */
export function psnr(convention: "wang2004", options: { readonly range: ValueRange }): Metric;
export function psnr(
  convention: Convention | HounsfieldConvention,
  { range = undefined as ValueRange | undefined } = {},
): Metric {
  const common = { id: "psnr", convention, unit: "dB", better: "higher" } as const;
  const shown = hounsfieldRange(convention);
  if (shown !== undefined) {
    return {
      ...common,
      about: `PSNR of each image ${shown.words}`,
      score: (subject) => scoreImages(subject, (pair) => ratio([shownIn(shown, pair)], shown.width)),
    };
  }
  const known = requireConvention("psnr", convention as Convention, about, hounsfieldConventions);
  const head: MetricHead = { ...common, about: about[known] };
  switch (known) {
    case "fastmri":
      return {
        ...head,
        score: (subject) =>
          scoreVolume(subject, (volume) => ratio(volume, maximum(volume.map(({ truth }) => truth)))),
      };
    case "paper":
      return {
        ...head,
        score: (subject) => scoreImages(subject, (pair) => ratio([pair], maximum([pair.truth]))),
      };
    case "wang2004": {
      requireRange("psnr", range);
      const given = range;
      const caption = `${head.about}, ${wordsOf(given)}`;
      return {
        ...head,
        about: caption,
        score: (subject) => scoreImages(subject, (pair) => ratio([pair], rangeOf(pair.truth, given))),
      };
    }
  }
}

/**
 * 10·log₁₀(range² / mean squared error) in dB, over all images together; `Infinity` where they are equal.
 *
 * @throws {RangeError} where `range` is not a positive number.
 */
export function peakSignalToNoise(pairs: readonly Pair[], range: number): number {
  requirePositive("PSNR", range);
  let [sum, count] = [0, 0];
  for (const { reconstruction, truth } of pairs) {
    sum += squaredDistance(reconstruction.data, truth.data);
    count += truth.data.length;
  }
  return sum === 0 ? Infinity : 10 * Math.log10(range ** 2 * count / sum);
}

function ratio(pairs: readonly Pair[], range: number): Outcome {
  return range > 0 ? peakSignalToNoise(pairs, range) : { reason: "the truth has no positive value" };
}
