/** What a user of localisation microscopy has today: peaks, and a fit of each by itself. */

import type { Settings, Values } from "../core/settings.ts";
import type { Method } from "../methods/method.ts";
import { localiser } from "./optics.ts";
import { peaksOf } from "./peak_detection.ts";
import type { Frame } from "./spot.ts";
import { fitSpot, type SpotFit } from "./spot_fit.ts";

/** What may be set of {@linkcode peakFit}. */
export const peakFitSettings = {
  threshold: {
    default: 6,
    min: 0,
    max: 1e3,
    about: "standard deviations of the noise that a peak stands out by",
  },
  radius: {
    default: 2,
    min: 1,
    max: 50,
    whole: true,
    about: "camera pixels on either side of a peak that it is fitted to",
  },
  misfit: {
    default: 20,
    min: -10,
    max: 1e6,
    about: "fits are rejected whose deviance is so many standard deviations above that of a true model",
  },
} as const satisfies Settings;

/**
 * Peaks of a difference of Gaussians, and around each a pixel-integrated Gaussian of the known width by maximum likelihood.
 *
 * A fit that leaves its window, that fades, or that fits too ill is rejected; of two that come to the same place the better
 * one stays. Emitters that are close to one another are taken for one: what this method is known to do. Where they are
 * crowded a small window has less of their neighbours, so its size is chosen on validation subjects.
 */
export const peakFit: Method<typeof peakFitSettings> = {
  name: "peak-fit",
  about: "each spot by itself: peaks, and a maximum-likelihood fit of a Gaussian",
  source: "Smith et al. 2010, doi:10.1038/nmeth.1449, on peaks of a difference of Gaussians",
  knows: { pairs: false, operator: "exactly" },
  settings: peakFitSettings,
  trains: false,
  effort: 0.1,
  tune: { setting: "radius", values: [1, 2, 3] },
  prepare: (_problem, settings) =>
    localiser("peak-fit", (frame, { sigma }) => {
      const fits = fittedPeaks(frame, sigma, settings);
      return {
        x: Float64Array.from(fits, ({ x }) => x),
        y: Float64Array.from(fits, ({ y }) => y),
        light: Float64Array.from(fits, ({ light }) => light),
      };
    }),
};

// In sigma: two fits that are closer are one emitter.
const closest = 0.5;

/** The emitters of a frame, each fitted by itself, the best fit first. */
export function fittedPeaks(
  frame: Frame,
  sigma: number,
  { threshold, radius, misfit }: Values<typeof peakFitSettings>,
): SpotFit[] {
  const { x, y } = peaksOf(frame, sigma, threshold);
  const fits = Array.from(x, (_, i) => fitSpot(frame, { x: x[i], y: y[i] }, sigma, radius))
    .filter((fit) => fit !== undefined)
    .filter((fit) => fit.misfit <= misfit)
    .sort((a, b) => a.misfit - b.misfit);
  const kept: SpotFit[] = [];
  for (const fit of fits) {
    const isTaken = kept.some((other) => Math.hypot(other.x - fit.x, other.y - fit.y) < closest * sigma);
    if (!isTaken) kept.push(fit);
  }
  return kept;
}
