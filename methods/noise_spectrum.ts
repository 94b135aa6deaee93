/**
 * The spectrum of the noise that measurements have and images do not, from images and measurements of different subjects.
 *
 * Noise is uncorrelated with what it is on, so the power spectrum of measurements is that of images and that of the noise
 * together: PSD(noise) = PSD(Y) − PSD(X). Spectra are taken of blocks of 15 x 15 pixels, the noise generator's grid, under
 * a Hann window and without their mean.
 *
 * A plain mean over blocks would be no use: where there is an edge, its power is a thousand times that of the noise, and
 * the difference of two means over a few hundred subjects is chance. So a block weighs the less the more coarse
 * structure it has, by one rule for both kinds.
 */

import { explain } from "../core/errors.ts";
import type { Image } from "../core/image.ts";
import type { Problem } from "./method.ts";
import {
  allShares,
  centreOf,
  kernelSide,
  type NoiseGenerator,
  powerSpectrum,
  ringOf,
  unclippedShare,
} from "./networks/noise_generator.ts";

/** Blocks of one image along an axis are at most so many, evenly spaced. */
const mostBlocks = 8;
/** Blocks of equal coarse structure are summed together, in so many classes for a factor of two. */
const classesAnOctave = 2;
const classes = 128;
/** The share of the measurements' blocks that are taken for flat. */
const flatShare = 0.1;

/** Hann's window on the grid. */
const window = Float64Array.from({ length: kernelSide ** 2 }, (_, place) => {
  const hann = (i: number) => 0.5 - 0.5 * Math.cos(2 * Math.PI * i / kernelSide);
  return hann(Math.floor(place / kernelSide)) * hann(place % kernelSide);
});
const windowSum = window.reduce((a, b) => a + b, 0);

/** Places of the eight frequencies around 0, whose power is called coarse structure. */
const coarse = [-1, 0, 1].flatMap((row) => [-1, 0, 1].map((column) => [row, column]))
  .filter(([row, column]) => row !== 0 || column !== 0)
  .map(([row, column]) => (row + kernelSide) % kernelSide * kernelSide + (column + kernelSide) % kernelSide);

/** How much of each frequency the upper half of the rings has: there anatomy is least. */
const upper = allShares.map((shares) =>
  shares.reduce((sum, share, band) => ringOf(band) >= 2 ? sum + share : sum, 0)
);

/** Blocks of a class are told apart by what is around them, in so many steps through the range. */
const levels = 16;

/** Matter takes photons away, so noise does not shrink with it; what few images say beyond this is chance. */
const mostGrowth = 1;

/** Sums over the blocks of one kind of image, class by class. */
interface Spectra {
  /** Power at each frequency of the grid. */
  readonly power: readonly Float64Array[];
  /** Power in the upper rings, level by level. */
  readonly fine: readonly Float64Array[];
  /** Σ (window·m)², level by level: the power that white noise of deviation 1 has after F's mask m. */
  readonly reach: readonly Float64Array[];
}

/** What a noise generator is to be set to. */
export interface MatchedNoise {
  /** The bands' standard deviations. */
  readonly deviations: readonly number[];
  /** β. */
  readonly growth: number;
}

/**
 * The noise with which F(x) has the spectrum of y: how it grows with what is around, from the upper rings, and then the
 * standard deviations of its bands.
 *
 * In the lowest ring anatomy is strongest and noise, for filtered back-projection, weakest: it is given no more than
 * the next ring in its direction.
 *
 * @throws {RangeError} where no measurement or no image has a block that was not clipped.
 */
export async function matchedNoise(
  images: AsyncIterable<Image>,
  measurements: AsyncIterable<Image>,
  F: Pick<NoiseGenerator, "range" | "surroundings">,
): Promise<MatchedNoise> {
  const [x, y] = [await spectraOf(images, F), await spectraOf(measurements, F)];
  const weights = flatness(y);
  const growth = F.range === undefined ? 0 : growthOf(x, y, weights);
  const excess = Float64Array.from({ length: levels }, (_, level) => excessOf(level, F.range));
  const power = excess.map((value) => Math.exp(2 * growth * value));
  const [ofX, ofY] = [weighted(x, weights, power), weighted(y, weights, power)];
  const deviations = balanced(inBands(ofY.map((value, place) => value - ofX[place])));
  return {
    growth,
    deviations: deviations.map((own, band) => ringOf(band) === 0 ? Math.min(own, deviations[band + 1]) : own),
  };

  /** The slope of the noise's logarithm, level by level, each weighing what its blocks weigh. */
  function growthOf(x: Spectra, y: Spectra, weights: readonly number[]): number {
    const at = (spectra: Spectra, level: number) => {
      const total = (of: readonly Float64Array[]) =>
        of.reduce((sum, values, at) => sum + weights[at] * values[level], 0);
      return { fine: total(spectra.fine), reach: total(spectra.reach) };
    };
    const points = Array.from({ length: levels }, (_, level) => {
      const [ofX, ofY] = [at(x, level), at(y, level)];
      const power = ofY.fine / ofY.reach - ofX.fine / ofX.reach;
      return { excess: excessOf(level, F.range), half: Math.log(power) / 2, weight: ofY.reach };
    }).filter(({ half, weight }) => Number.isFinite(half) && weight > 0);
    const mean = (of: (point: typeof points[number]) => number) =>
      points.reduce((sum, point) => sum + point.weight * of(point), 0) /
      points.reduce((sum, { weight }) => sum + weight, 0);
    const [middle, height] = [mean(({ excess }) => excess), mean(({ half }) => half)];
    const slope = mean(({ excess, half }) => (excess - middle) * (half - height));
    const growth = slope / mean(({ excess }) => (excess - middle) ** 2);
    return Number.isFinite(growth) ? Math.min(mostGrowth, Math.max(0, growth)) : 0;
  }
}

/** s − c in the middle of a level. */
function excessOf(level: number, range: Problem["range"]): number {
  if (range === undefined) return 0;
  return range.low + (range.high - range.low) * (level + 0.5) / levels - centreOf(range);
}

async function spectraOf(
  images: AsyncIterable<Image>,
  { range, surroundings }: Pick<NoiseGenerator, "range" | "surroundings">,
): Promise<Spectra> {
  const empty = (length: number) => Array.from({ length: classes }, () => new Float64Array(length));
  const [power, fine, reach] = [empty(kernelSide ** 2), empty(levels), empty(levels)];
  for await (const image of images) {
    for (const { block, around } of blocksOf(image, surroundings)) {
      const mean = block.reduce((sum, value, i) => sum + window[i] * value, 0) / windowSum;
      const spectrum = powerSpectrum(block.map((value, i) => window[i] * (value - mean)));
      const at = classOf(coarse.reduce((sum, place) => sum + spectrum[place], 0));
      const level = range === undefined
        ? 0
        : Math.min(levels - 1, Math.floor(levels * (around - range.low) / (range.high - range.low)));
      spectrum.forEach((value, place) => {
        power[at][place] += value;
        fine[at][level] += upper[place] * value;
      });
      reach[at][level] += block.reduce(
        (sum, value, i) => sum + (window[i] * unclippedShare(value, range)) ** 2,
        0,
      );
    }
  }
  return { power, fine, reach };
}

/**
 * Squares of 15 x 15 pixels from end to end, which overlap by half where there is no room for more, with the mean of what is
 * around them.
 */
function* blocksOf(
  { shape: [height, width, channels], data }: Image,
  surroundings: number,
): Generator<{ readonly block: Float64Array; readonly around: number }> {
  const starts = (extent: number): number[] => {
    const room = extent - kernelSide;
    if (room < 0) return [];
    const steps = Math.min(mostBlocks - 1, Math.floor(2 * room / kernelSide));
    return Array.from(
      { length: steps + 1 },
      (_, i) => steps === 0 ? room >> 1 : Math.round(room * i / steps),
    );
  };
  /** s(x) in the middle of a block. */
  const meanAround = (top: number, left: number, channel: number): number => {
    const span = (start: number, extent: number) => {
      const middle = start + (kernelSide >> 1);
      return [Math.max(0, middle - surroundings), Math.min(extent, middle + surroundings + 1)];
    };
    const [[firstRow, lastRow], [first, last]] = [span(top, height), span(left, width)];
    let sum = 0;
    for (let row = firstRow; row < lastRow; row++) {
      for (let column = first; column < last; column++) {
        sum += data[(row * width + column) * channels + channel];
      }
    }
    return sum / ((lastRow - firstRow) * (last - first));
  };
  for (const top of starts(height)) {
    for (const left of starts(width)) {
      for (let channel = 0; channel < channels; channel++) {
        const block = window.map((_, place) => {
          const [row, column] = [top + Math.floor(place / kernelSide), left + place % kernelSide];
          return data[(row * width + column) * channels + channel];
        });
        yield { block, around: meanAround(top, left, channel) };
      }
    }
  }
}

function classOf(coarse: number): number {
  const at = Math.round(classesAnOctave * Math.log2(coarse)) + classes / 2;
  return Math.max(0, Math.min(classes - 1, at));
}

/** How much blocks of each class weigh: less the more their structure exceeds that of the flattest measurements. */
function flatness({ reach }: Spectra): number[] {
  const ofClass = reach.map((values) => values.reduce((a, b) => a + b, 0));
  const total = ofClass.reduce((a, b) => a + b, 0);
  let [sum, flat] = [0, 0];
  while (flat < classes && sum + ofClass[flat] < flatShare * total) sum += ofClass[flat++];
  return ofClass.map((_, at) => (1 + 2 ** ((at - flat) / classesAnOctave)) ** -2);
}

/** The weighted sum of all blocks' power, for white noise of deviation 1 that grows by `growth` to have a power of 1. */
function weighted(
  { power, reach }: Spectra,
  weights: readonly number[],
  growth: Float64Array,
): Float64Array {
  const total = reach.reduce(
    (sum, values, at) => values.reduce((sum, value, level) => sum + weights[at] * growth[level] * value, sum),
    0,
  );
  if (!(total > 0)) {
    throw new RangeError(explain({
      what: `no training image has ${kernelSide}x${kernelSide} pixels above the lower end of the window`,
      where: "the spectrum of the noise",
      fix: "give larger images, or a window that holds what they show",
    }));
  }
  const sum = new Float64Array(kernelSide ** 2);
  power.forEach((values, at) => values.forEach((value, place) => sum[place] += weights[at] * value / total));
  return sum;
}

/** Sums of a spectrum over each band's share of it. */
function inBands(spectrum: Float64Array): number[] {
  return allShares[0].map((_, band) =>
    spectrum.reduce((sum, power, place) => sum + allShares[place][band] * power, 0)
  );
}

/** The deviations of bands whose noise has these sums under the window, by multiplying them until it has. */
function balanced(wanted: readonly number[]): number[] {
  let deviations = wanted.map(() => 1);
  for (let round = 0; round < 100; round++) {
    const spectrum = Float64Array.from(
      allShares,
      (shares) => shares.reduce((sum, share, band) => sum + share * deviations[band], 0) ** 2,
    );
    const made = inBands(windowed(spectrum));
    deviations = deviations.map((own, band) =>
      Math.max(least, own * Math.sqrt(Math.max(0, wanted[band]) / made[band]))
    );
  }
  return deviations;
}

/** A band without noise is given so little, in units of the scale: gains are logarithms. */
const least = 1e-4;

/** A spectrum under the window, which blurs it: along either axis Hann's has three frequencies, of powers 1 : 4 : 1. */
function windowed(spectrum: Float64Array): Float64Array {
  const along = (values: Float64Array, step: number) =>
    values.map((value, place) => {
      const at = Math.floor(place / step) % kernelSide;
      const neighbour = (to: number) => values[place + ((to + kernelSide) % kernelSide - at) * step];
      return (4 * value + neighbour(at - 1) + neighbour(at + 1)) / 6;
    });
  return along(along(spectrum, 1), kernelSide);
}
