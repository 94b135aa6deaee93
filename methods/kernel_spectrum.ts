/**
 * The blur that measurements have and images do not, by their power spectra, from images and measurements of different
 * subjects.
 *
 *     E |ŷ(f)|² = |ĥ(f)|² E |x̂(f)|² + N,
 *
 * N being the power of the camera's noise, which is white: photons and read-out of neighbouring pixels are independent. h is
 * a mixture of Gaussians; its shares and N are those that bring the logarithms of both sides nearest to one another,
 * in bands of frequencies. Phases are lost, but a Gaussian mixture has none.
 */

import { explain } from "../core/errors.ts";
import { type Complex, transformAxes } from "../core/fourier.ts";
import { type Image, sizeOf } from "../core/image.ts";
import type { Shape } from "../physics/operator.ts";
import { type GaussianMixture, linesOf } from "./networks/gaussian_mixture.ts";

/** So many images and measurements are looked at; of more, the first ones. */
const most = 100;
/** Bands are so many frequencies wide. */
const ring = 1;
/** Steps of the fit, which stands still after some twenty. */
const steps = 60;
/** Logarithms of shares are held between these. */
const [leastShare, mostShare] = [-10, 0];

/**
 * The shares of a mixture's Gaussians with which images have the spectrum of measurements. The spectra are of what both show
 * in their middle, of one size, under a Hann window and without its mean.
 *
 * @throws {RangeError} where there are no images or no measurements.
 */
export async function matchedShares(
  images: AsyncIterable<Image>,
  measurements: AsyncIterable<Image>,
  { shape, widths }: Pick<GaussianMixture, "shape" | "widths">,
): Promise<readonly number[]> {
  const y = await meanSpectrum(measurements);
  const x = await meanSpectrum(images, y.extents);
  const bands = bandsOf(y.extents);
  const transfers = widths.map((width) => transferOf(linesOf(shape, width), y.extents));
  const target = inBands(y.power, bands).map(Math.log);
  const modelled = (logits: readonly number[], noise: number): Float64Array => {
    const shares = softmax(logits);
    const power = x.power.map((value, f) =>
      value * transfers.reduce((sum, transfer, i) => sum + shares[i] * transfer[f], 0) ** 2
    );
    return inBands(power, bands).map((value) => Math.log(value + noise));
  };
  return softmax(fitted(modelled, target, bands.counts, widths.length));
}

/** The mean over images of |x̂|², in the order of `transformAxes`: the lowest frequency is at ⌊extent / 2⌋ along every axis. */
async function meanSpectrum(
  images: AsyncIterable<Image>,
  given?: Shape,
): Promise<{ extents: Shape; power: Float64Array }> {
  let [extents, count] = [given, 0];
  let power: Float64Array | undefined;
  for await (const image of images) {
    extents ??= image.shape.slice(0, -1);
    power ??= new Float64Array(sizeOf(extents));
    if (image.shape.slice(0, -1).some((extent, axis) => extent < extents![axis])) continue;
    const transform = windowed(image, extents);
    transformAxes(transform, extents, false);
    for (let f = 0; f < power.length; f++) {
      power[f] += transform[2 * f] ** 2 + transform[2 * f + 1] ** 2;
    }
    if (++count === most) break;
  }
  if (count === 0) {
    throw new RangeError(explain({
      what: given === undefined
        ? "there is no measurement whose spectrum could be matched"
        : `there is no image of [${given}] pixels or more`,
      where: "the spectrum of the blur",
      fix: "give more training data, and images at least as large as measurements",
    }));
  }
  return { extents: extents!, power: power!.map((sum) => sum / count) };
}

/** The middle of an image under a Hann window, without its mean, as complex numbers. */
function windowed({ shape, data }: Image, extents: Shape): Complex {
  const lines = extents.map((extent) =>
    Float64Array.from({ length: extent }, (_, i) => Math.sin(Math.PI * (i + 0.5) / extent) ** 2)
  );
  const [values, weights] = [new Float64Array(sizeOf(extents)), new Float64Array(sizeOf(extents))];
  let [sum, weight] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    let [at, step, rest] = [0, 1, i];
    weights[i] = 1;
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      const place = rest % extents[axis];
      weights[i] *= lines[axis][place];
      at += step * (place + Math.floor((shape[axis] - extents[axis]) / 2));
      step *= shape[axis];
      rest = Math.floor(rest / extents[axis]);
    }
    values[i] = data[at];
    sum += weights[i] * values[i];
    weight += weights[i];
  }
  const complex = new Float64Array(2 * values.length);
  for (let i = 0; i < values.length; i++) complex[2 * i] = weights[i] * (values[i] - sum / weight);
  return complex;
}

/** Which band each frequency is of, −1 for the lowest, and how many frequencies each has. */
interface Bands {
  readonly of: Int32Array;
  readonly counts: Float64Array;
}

/** Rings of frequencies across the optical axis, apart for each distance along it. */
function bandsOf(extents: Shape): Bands {
  const names = new Map<string, number>();
  const of = new Int32Array(sizeOf(extents));
  for (let i = 0; i < of.length; i++) {
    const frequencies = frequenciesAt(i, extents);
    const [row, column] = frequencies.slice(-2);
    const radius = Math.hypot(row, column) * Math.max(...extents.slice(-2)) / ring;
    const along = frequencies.length === 3 ? Math.abs(frequencies[0] * extents[0]) : 0;
    const name = `${Math.round(radius)} ${Math.round(along)}`;
    if (!names.has(name)) names.set(name, names.size);
    of[i] = names.get(name)!;
  }
  const lowest = of[extents.reduce((at, extent) => at * extent + Math.floor(extent / 2), 0)];
  for (let i = 0; i < of.length; i++) of[i] = of[i] === lowest ? -1 : of[i] - (of[i] > lowest ? 1 : 0);
  const counts = new Float64Array(names.size - 1);
  for (const band of of) if (band >= 0) counts[band]++;
  return { of, counts };
}

/** The frequency at a place of a centred transform, in cycles a pixel along each axis. */
function frequenciesAt(place: number, extents: Shape): number[] {
  const frequencies: number[] = [];
  for (const extent of extents.toReversed()) {
    frequencies.unshift((place % extent - Math.floor(extent / 2)) / extent);
    place = Math.floor(place / extent);
  }
  return frequencies;
}

/** The Fourier transform of a separable kernel that is symmetric about its middle, which is real. */
function transferOf(lines: readonly Float64Array[], extents: Shape): Float64Array {
  const along = lines.map((line, axis) =>
    Float64Array.from({ length: extents[axis] }, (_, place) => {
      const frequency = (place - Math.floor(extents[axis] / 2)) / extents[axis];
      return line.reduce(
        (sum, value, i) => sum + value * Math.cos(2 * Math.PI * frequency * (i - (line.length - 1) / 2)),
        0,
      );
    })
  );
  return Float64Array.from({ length: sizeOf(extents) }, (_, i) => {
    let product = 1;
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      product *= along[axis][i % extents[axis]];
      i = Math.floor(i / extents[axis]);
    }
    return product;
  });
}

function inBands(power: Float64Array, { of, counts }: Bands): Float64Array {
  const sums = new Float64Array(counts.length);
  for (let f = 0; f < power.length; f++) if (of[f] >= 0) sums[of[f]] += power[f];
  return sums.map((sum, band) => sum / counts[band]);
}

/**
 * The logarithms of shares with which the model comes nearest to the target, squares weighed by `counts`: Levenberg and
 * Marquardt's method, from equal shares and the least power as noise.
 */
function fitted(
  modelled: (logits: readonly number[], noise: number) => Float64Array,
  target: Float64Array,
  counts: Float64Array,
  size: number,
): readonly number[] {
  const apply = (unknowns: readonly number[]) => modelled(unknowns.slice(0, -1), Math.exp(unknowns[size]));
  const misfit = (model: Float64Array) =>
    model.reduce((sum, value, band) => sum + counts[band] * (value - target[band]) ** 2, 0);
  let unknowns = [...Array<number>(size).fill(0), Math.min(...target)];
  let model = apply(unknowns);
  let damping = 1;
  for (let step = 0; step < steps; step++) {
    const slopes = unknowns.map((value, i) =>
      apply(unknowns.with(i, value + 1e-4)).map((moved, band) => (moved - model[band]) / 1e-4)
    );
    const total = counts.reduce((a, b) => a + b);
    const dot = (a: Float64Array, b: (band: number) => number) =>
      a.reduce((sum, value, band) => sum + counts[band] * value * b(band), 0) / total;
    const matrix = slopes.map((a, i) =>
      slopes.map((b, j) => dot(a, (band) => b[band]) + (i === j ? 1e-3 * damping : 0))
    );
    const move = solved(matrix, slopes.map((a) => dot(a, (band) => target[band] - model[band])));
    const next = unknowns.map((value, i) => value + Math.max(-2, Math.min(2, move[i])));
    const level = Math.max(...next.slice(0, -1)) - mostShare;
    for (let i = 0; i < size; i++) next[i] = Math.max(leastShare, next[i] - level);
    const nextModel = apply(next);
    const isBetter = misfit(nextModel) < misfit(model);
    damping = isBetter ? damping / 3 : damping * 4;
    if (isBetter) [unknowns, model] = [next, nextModel];
  }
  return unknowns.slice(0, -1);
}

/** The solution of a small system of linear equations, by elimination with the largest pivot. */
function solved(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  for (let i = 0; i < rows.length; i++) {
    const pivot = rows.reduce(
      (best, row, at) => at >= i && Math.abs(row[i]) > Math.abs(rows[best][i]) ? at : best,
      i,
    );
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    for (let j = 0; j < rows.length; j++) {
      if (j === i) continue;
      const factor = rows[j][i] / rows[i][i];
      for (let k = i; k < rows[j].length; k++) rows[j][k] -= factor * rows[i][k];
    }
  }
  return rows.map((row, i) => row.at(-1)! / row[i]);
}

function softmax(logits: readonly number[]): number[] {
  const powers = logits.map(Math.exp);
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}
