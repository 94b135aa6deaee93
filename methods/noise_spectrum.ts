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
import { allShares, kernelSide, powerSpectrum, ringOf, unclippedShare } from "./networks/noise_generator.ts";

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

/** Sums over the blocks of one kind of image, class by class. */
interface Spectra {
  /** Power at each frequency of the grid. */
  readonly power: readonly Float64Array[];
  /** Σ (window·m)², the power that white noise of deviation 1 has after F's mask m. */
  readonly reach: Float64Array;
}

/**
 * The standard deviations of a noise generator's bands with which F(x) has the spectrum of y.
 *
 * In the lowest ring anatomy is strongest and noise, for filtered back-projection, weakest: it is given no more than
 * the next ring in its direction.
 *
 * @throws {RangeError} where no measurement or no image has a block that was not clipped.
 */
export async function matchedDeviations(
  images: AsyncIterable<Image>,
  measurements: AsyncIterable<Image>,
  range: Problem["range"],
): Promise<number[]> {
  const [x, y] = [await spectraOf(images, range), await spectraOf(measurements, range)];
  const weights = flatness(y);
  const [ofX, ofY] = [weighted(x, weights), weighted(y, weights)];
  const deviations = balanced(inBands(ofY.map((power, place) => power - ofX[place])));
  return deviations.map((own, band) => ringOf(band) === 0 ? Math.min(own, deviations[band + 1]) : own);
}

async function spectraOf(images: AsyncIterable<Image>, range: Problem["range"]): Promise<Spectra> {
  const power = Array.from({ length: classes }, () => new Float64Array(kernelSide ** 2));
  const reach = new Float64Array(classes);
  for await (const image of images) {
    for (const block of blocksOf(image)) {
      const mean = block.reduce((sum, value, i) => sum + window[i] * value, 0) / windowSum;
      const spectrum = powerSpectrum(block.map((value, i) => window[i] * (value - mean)));
      const at = classOf(coarse.reduce((sum, place) => sum + spectrum[place], 0));
      spectrum.forEach((value, place) => power[at][place] += value);
      reach[at] += block.reduce((sum, value, i) => sum + (window[i] * unclippedShare(value, range)) ** 2, 0);
    }
  }
  return { power, reach };
}

/** Squares of 15 x 15 pixels from end to end, which overlap by half where there is no room for more. */
function* blocksOf({ shape: [height, width, channels], data }: Image): Generator<Float64Array> {
  const starts = (extent: number): number[] => {
    const room = extent - kernelSide;
    if (room < 0) return [];
    const steps = Math.min(mostBlocks - 1, Math.floor(2 * room / kernelSide));
    return Array.from(
      { length: steps + 1 },
      (_, i) => steps === 0 ? room >> 1 : Math.round(room * i / steps),
    );
  };
  for (const top of starts(height)) {
    for (const left of starts(width)) {
      for (let channel = 0; channel < channels; channel++) {
        yield window.map((_, place) => {
          const [row, column] = [top + Math.floor(place / kernelSide), left + place % kernelSide];
          return data[(row * width + column) * channels + channel];
        });
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
  const total = reach.reduce((a, b) => a + b, 0);
  let [sum, flat] = [0, 0];
  while (flat < classes && sum + reach[flat] < flatShare * total) sum += reach[flat++];
  return Array.from(reach, (_, at) => (1 + 2 ** ((at - flat) / classesAnOctave)) ** -2);
}

/** The weighted sum of all blocks' power, for white noise of deviation 1 to have a power of 1. */
function weighted({ power, reach }: Spectra, weights: readonly number[]): Float64Array {
  const total = reach.reduce((sum, value, at) => sum + weights[at] * value, 0);
  if (!(total > 0)) {
    throw new RangeError(explain({
      what: `no training image has ${kernelSide}x${kernelSide} pixels above the lower end of the window`,
      where: "noise-matching",
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
