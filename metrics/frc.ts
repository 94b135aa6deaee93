/**
 * The resolution of an image by Fourier ring correlation (`ring_correlation.ts`): the inverse of the frequency at which its
 * correlation with the truth, or that of two halves, first falls below a threshold (S. Koho et al., Nature Communications
 * 10, 2019).
 *
 * It is a length between images that nobody trained on each other: a network that made both halves is a prior that both
 * share, and inflates it.
 */

import type { Image } from "../core/image.ts";
import type { Case, Metric, SampleCurve } from "./metric.ts";
import { type RingCorrelation, ringCorrelation, smoothed } from "./ring_correlation.ts";
import { isFiniteEverywhere, pairOf, scored } from "./scoring.ts";

/** 1/7, or the half-bit curve (M. van Heel & M. Schatz, J. Struct. Biol. 151, 2005, eq. 17). */
export type Threshold = "1/7" | "half-bit";

/** A resolution. */
export interface Resolution {
  /** In nm (or pixels); at least two pixels. */
  readonly length: number;
  /** Whether it lies in the last ring: the pixels, not the images, may be what limits it. */
  readonly atNyquist: boolean;
}

/** The threshold at each ring. */
export function thresholdOf({ counts }: RingCorrelation, threshold: Threshold): Float64Array {
  if (threshold === "1/7") return counts.map(() => 1 / 7);
  return counts.map((count) => {
    const root = Math.sqrt(count);
    return (0.2071 * root + 1.9102) / (1.2071 * root + 0.9102);
  });
}

/**
 * The resolution: the inverse of the frequency of the first downward crossing of the threshold, between two rings by a
 * straight line. A curve that never falls below has none, and neither has one that is below from the first ring on.
 */
export function resolutionOf(
  correlation: RingCorrelation,
  threshold: Threshold,
): Resolution | { readonly reason: string } {
  const { frequencies, values, nyquist } = correlation;
  const limits = thresholdOf(correlation, threshold);
  const above = values.map((value, ring) => value - limits[ring]);
  if (!(above[1] >= 0)) return { reason: `the correlation is below ${threshold} from the first ring on` };
  for (let ring = 2; ring < values.length; ring++) {
    if (above[ring] >= 0) continue;
    const share = above[ring - 1] / (above[ring - 1] - above[ring]);
    const frequency = frequencies[ring - 1] + share * (frequencies[ring] - frequencies[ring - 1]);
    return { length: 1 / Math.min(frequency, nyquist), atNyquist: ring === values.length - 1 };
  }
  return { reason: `the correlation does not fall below ${threshold} up to the Nyquist frequency` };
}

/** How an FRC metric is set. */
export interface RingOptions {
  /** Size of a pixel of the reconstruction in nm: of all axes, or of each, the slowest first; the case's own unless said. */
  readonly pixelNm?: number | readonly number[];
  readonly threshold: Threshold;
  /** Rings that LOESS smooths over; absent: none. */
  readonly span?: number;
}

/** The resolution in nm up to which a reconstruction agrees with the truth: `frc-truth`, and `fsc-truth` of volumes. */
export function frcTruth(options: RingOptions & { readonly volumes?: boolean }): Metric {
  const [id, name] = options.volumes ? ["fsc-truth", "shell"] : ["frc-truth", "ring"];
  return metricOf(id, name, "reconstruction and truth", options, (one) => {
    const pair = pairOf(one);
    return "reason" in pair ? pair : [pair.reconstruction, pair.truth];
  });
}

/** The resolution in nm up to which reconstructions of two independent halves agree: for methods without a learned prior. */
export function frcHalves(options: RingOptions): Metric {
  const between = "the reconstructions of two independent halves";
  return metricOf("frc-halves", "ring", between, options, ({ halves, learned }) => {
    if (halves === undefined) return { reason: "there are no two halves" };
    return learned ? { reason: "the halves share a learned prior, which would count as resolution" } : halves;
  });
}

/** Two images to be compared, or why there are none. */
type Two = (one: Case) => readonly [Image, Image] | { readonly reason: string };

function metricOf(id: string, name: string, between: string, options: RingOptions, two: Two): Metric {
  const { threshold, span } = options;
  const smoothing = span === undefined ? "" : `, smoothed by LOESS over ${span} of them`;
  return {
    id,
    convention: threshold,
    unit: "nm",
    better: "lower",
    about:
      `resolution by Fourier ${name} correlation between ${between}: Tukey window 0.25, ${name}s one pixel wide` +
      `${smoothing}, first crossing of ${threshold}`,
    of: "whole",
    score: (subject) =>
      subject.map((one) => {
        if (pixelOf(one, options) === undefined) {
          return scored({ reason: "nobody says how large a pixel is" }, one.sample);
        }
        const correlation = correlationOf(one, two, options);
        if ("reason" in correlation) return scored(correlation, one.sample);
        const found = resolutionOf(correlation, threshold);
        return scored("reason" in found ? found : found.length, one.sample);
      }),
    curves: (subject) =>
      subject.flatMap((one) => {
        const correlation = correlationOf(one, two, options);
        return "reason" in correlation
          ? []
          : [{ name: id, sample: one.sample, ...drawn(correlation, pixelOf(one, options), threshold) }];
      }),
  };
}

function pixelOf({ pixelNm }: Case, options: RingOptions): RingOptions["pixelNm"] {
  return options.pixelNm ?? pixelNm;
}

function correlationOf(
  one: Case,
  two: Two,
  options: RingOptions,
): RingCorrelation | { readonly reason: string } {
  const { span } = options;
  const found = two(one);
  if ("reason" in found) return found;
  const [a, b] = found;
  for (const { data } of [a, b]) {
    if (!isFiniteEverywhere(data)) return { reason: "a half holds values that are not finite" };
    if (data.every((value) => value === data[0])) return { reason: "an image is constant" };
  }
  if (a.data.every((value, i) => value === b.data[i])) return { reason: "the two images are identical" };
  const correlation = ringCorrelation(a, b, pixelOf(one, options));
  return span === undefined ? correlation : smoothed(correlation, span);
}

/** From the first ring on, which is where crossings are looked for; in cycles a µm where the pixel has a size. */
function drawn(
  correlation: RingCorrelation,
  pixelNm: RingOptions["pixelNm"],
  threshold: Threshold,
): Omit<SampleCurve, "name" | "sample"> {
  const perUnit = pixelNm === undefined ? 1 : 1000;
  const digits = (values: Float64Array) =>
    Array.from(values.subarray(1), (value) => Number(value.toPrecision(6)));
  return {
    axes: { x: `frequency (1/${pixelNm === undefined ? "pixel" : "µm"})`, y: "correlation" },
    x: digits(correlation.frequencies.map((frequency) => perUnit * frequency)),
    y: digits(correlation.values),
    limit: { label: threshold, y: digits(thresholdOf(correlation, threshold)) },
  };
}
