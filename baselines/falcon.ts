/** Sparse deconvolution, and emitters in the continuum after it. */

import type { Settings, Values } from "../core/settings.ts";
import type { Method } from "../methods/method.ts";
import { Blur, type FineGrid } from "./fine_grid.ts";
import { maximaOf } from "./local_maxima.ts";
import { localiser } from "./optics.ts";
import { type Deconvolved, sparseDeconvolution } from "./sparse_deconvolution.ts";
import { type Frame, leastExpected, type Spots } from "./spot.ts";
import { SpotModel } from "./spot_model.ts";

/** What may be set of {@linkcode falcon}. */
export const falconSettings = {
  grid: { default: 2, min: 1, max: 16, whole: true, about: "points of the grid along a camera pixel" },
  iterations: { default: 60, min: 1, max: 100_000, whole: true, about: "steps of the deconvolution" },
  sparsity: {
    default: 1,
    min: 0,
    max: 100,
    about: "price of light in the deconvolution, in standard deviations of the noise",
  },
  looks: {
    default: 20,
    min: 0,
    max: 1000,
    whole: true,
    about: "how often what is left of the frame is looked at for more emitters",
  },
  asks: {
    default: 1.5,
    min: 0,
    max: 100,
    about: "what is left asks for an emitter where it stands out by so many standard deviations of the noise",
  },
  sweeps: { default: 10, min: 1, max: 1000, whole: true, about: "how often all are moved after each look" },
  least: {
    default: 4,
    min: 0,
    max: 100,
    about: "emitters fainter than so many standard deviations of their own light are left out",
  },
} as const satisfies Settings;

/**
 * High-density localisation after the published description of FALCON (J. Min et al., Scientific Reports 4, 4577, 2014), not
 * its program: a frame is deconvolved on a grid for the least light that explains it, weighted by its noise; the local
 * maxima become emitters, which leave the grid and are moved until the frame is as likely as it gets.
 *
 * In place of the published expansion of the spot about the grid the exact pixel-integrated Gaussian is refined, by Poisson's
 * likelihood; and since a grid that has converged takes a thousand steps, it takes few, and what is left of the frame is
 * looked at for emitters that it missed (as in S. J. Holden et al., DAOSTORM, Nature Methods 8, 2011). Where what
 * deconvolution leaves is noisier than counts are, as of a camera that nobody calibrated, all thresholds follow the noise that
 * there is.
 */
export const falcon: Method<typeof falconSettings> = {
  name: "falcon",
  about: "sparse deconvolution on a grid, then emitters refined together in the continuum",
  source: "Min et al. 2014, doi:10.1038/srep04577, from its description",
  knows: { pairs: false, operator: "exactly" },
  settings: falconSettings,
  trains: false,
  effort: 1,
  prepare: (_problem, settings) =>
    localiser("falcon", (frame, { sigma, reach }) => sparseSpots(frame, sigma, reach, settings)),
};

// In sigma: emitters that come closer are one.
const closest = 0.5;
// Counts: what is fainter than this at the start is left to be asked for.
const leastAtStart = 0.5;
// Of a standard normal number's.
const medianOfSquares = 0.4549;

/** The emitters of a frame, those up to `margin` camera pixels around it included. */
export function sparseSpots(
  frame: Frame,
  sigma: number,
  margin: number,
  { grid: factor, iterations, sparsity, looks, asks, sweeps, least }: Values<typeof falconSettings>,
): Spots {
  const grid: FineGrid = { sigma, factor, margin };
  const blur = new Blur(frame, grid);
  const start = sparseDeconvolution(frame, blur, { iterations, sparsity });
  // Noisier than its counts would be, a frame has fewer counts than it says: its camera was not calibrated.
  const excess = Math.max(1, dispersionOf(frame, start, blur));
  const fewer = (values: Float64Array) => values.map((value) => value / excess);
  const model = new SpotModel({ ...frame, data: fewer(frame.data) }, sigma, start.background / excess);
  const maxima = maximaOf(start, leastAtStart);
  model.add(fromGrid({ ...maxima, light: fewer(maxima.light) }, grid));
  for (let look = 0;; look++) {
    for (let sweep = 1; sweep <= sweeps; sweep++) {
      model.sweep();
      if (sweep % 5 === 0 || sweep === sweeps) model.prune(closest * sigma, least);
    }
    const missed = look === looks ? undefined : missedBy(model, blur, asks);
    if (missed === undefined || missed.x.length === 0) {
      const { x, y, light } = model.spots;
      return { x, y, light: light.map((value) => value * excess) };
    }
    model.add(fromGrid(missed, grid));
  }
}

/**
 * The variance of what deconvolution leaves over its mean, which is 1 for counts: by the median of its squares, so that
 * what it has not explained yet has little part in it.
 */
function dispersionOf({ data }: Frame, { data: x, background }: Deconvolved, blur: Blur): number {
  const expected = new Float64Array(data.length);
  blur.forward(x, blur.everywhere, expected);
  const squares = data.map((count, i) => {
    const mean = Math.max(leastExpected, expected[i] + background);
    return (count - mean) ** 2 / mean;
  });
  return squares.sort()[squares.length >> 1] / medianOfSquares;
}

/** The points of the grid where one more emitter would explain most of what is left, with the light it would have alone. */
function missedBy({ frame: { data }, expected }: SpotModel, blur: Blur, asks: number): Spots {
  const weights = expected.map((mean) => 1 / Math.max(leastExpected, mean));
  const [pull, information] = [new Float64Array(blur.points), new Float64Array(blur.points)];
  blur.adjoint(data.map((count, i) => weights[i] * (count - expected[i])), blur.everywhere, pull);
  blur.adjointOfSquares(weights, information);
  const standing = pull.map((value, j) => {
    const z = value / Math.sqrt(information[j]);
    return z > asks ? z : 0;
  });
  const { x, y } = maximaOf({ shape: [blur.rows, blur.columns], data: standing }, 0);
  const light = x.map((_, i) => {
    const j = Math.floor(y[i]) * blur.columns + Math.floor(x[i]);
    return pull[j] / information[j];
  });
  return { x, y, light };
}

/** From points of the grid to camera pixels. */
function fromGrid({ x, y, light }: Spots, { factor, margin }: FineGrid): Spots {
  const place = (value: number) => value / factor - margin;
  return { x: x.map(place), y: y.map(place), light };
}
