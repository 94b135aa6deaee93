/**
 * How two images correlate at each fineness: Fourier ring correlation, and its form for volumes, Fourier shell correlation
 * (R. P. J. Nieuwenhuizen et al., "Measuring image resolution in optical nanoscopy", Nature Methods 10, 2013).
 *
 * Both images are multiplied by a Tukey window of α = 0.25 along every axis. The correlation of a ring of frequencies is
 * Re Σ F₁ F₂* / √(Σ |F₁|² Σ |F₂|²).
 */

import { explain } from "../core/errors.ts";
import { type Complex, transformAxes } from "../core/fourier.ts";
import { type Image, sameShape } from "../core/image.ts";
import { isFiniteEverywhere, maximum } from "./scoring.ts";

/** How two images correlate, ring by ring. */
export interface RingCorrelation {
  /** The rings' frequencies, in cycles a nm (or a pixel, where no size was given); the first is zero. */
  readonly frequencies: Float64Array;
  /** In [−1, 1]; 0 where an image has no power in a ring. */
  readonly values: Float64Array;
  /** How many frequencies are in each ring, both of each conjugate pair. */
  readonly counts: Float64Array;
  /** The highest frequency that the finest axis holds: half a cycle a pixel. */
  readonly nyquist: number;
}

/**
 * Correlates two images `[height, width, 1]` ring by ring, or two volumes `[depth, height, width, 1]` shell by shell.
 *
 * Rings are one pixel of the transform wide: one cycle across the shortest side of the field of view. They go up to
 * the Nyquist frequency of the finest axis, so that shells beyond that of a coarser one hold what frequencies there are.
 *
 * @param pixelSize a size along each axis, the slowest first, or one for all; 1 gives pixels.
 * @throws {TypeError} where the shapes differ or are no images of one channel.
 * @throws {RangeError} where a value is not finite, a size is not positive, or an axis has fewer than four pixels.
 */
export function ringCorrelation(
  a: Image,
  b: Image,
  pixelSize: number | readonly number[] = 1,
): RingCorrelation {
  const extents = requirePair(a, b);
  const sizes = typeof pixelSize === "number" ? extents.map(() => pixelSize) : pixelSize;
  if (sizes.length !== extents.length || !sizes.every((size) => size > 0 && Number.isFinite(size))) {
    throw new RangeError(explain({
      what: `[${sizes}] is no size of a pixel of an image [${a.shape}]`,
      where: "ringCorrelation()",
      fix: "give one positive number, or one for each axis",
    }));
  }
  const width = Math.max(...extents.map((extent, axis) => 1 / (extent * sizes[axis])));
  const nyquist = Math.max(...sizes.map((size) => 1 / (2 * size)));
  // Rounding must not take the last ring away.
  const rings = Math.floor(nyquist / width * (1 + 1e-12)) + 1;
  const spectra = transformed(a, b, extents);

  const [cross, powerA, powerB, counts] = Array.from({ length: 4 }, () => new Float64Array(rings));
  // Squares of the frequencies along each axis, in rings.
  const squares = extents.map((extent, axis) =>
    Float64Array.from(
      { length: extent },
      (_, i) => ((i - Math.floor(extent / 2)) / (extent * sizes[axis] * width)) ** 2,
    )
  );
  const columns = extents.at(-1)!;
  const along = squares.at(-1)!;
  const mirror = Int32Array.from(along, (_, i) => (2 * Math.floor(columns / 2) - i) % columns);
  for (const { row, opposite, square } of rowsOf(extents, squares)) {
    // Of each pair of conjugates one is enough.
    if (opposite < row) continue;
    for (let column = 0; column < columns; column++) {
      const index = row * columns + column;
      const partner = opposite * columns + mirror[column];
      if (partner < index) continue;
      // A frequency in the middle between two rings is the outer one's, whatever rounding does to it.
      const ring = Math.floor(Math.sqrt(square + along[column]) + 0.5 + 1e-9);
      if (ring >= rings) continue;
      const weight = partner === index ? 1 : 2;
      // F₁ and F₂ lie in one transform of a + ib: F₁ = (C(k) + C*(−k)) / 2, F₂ = (C(k) − C*(−k)) / 2i.
      const [re, im] = [spectra[2 * index], spectra[2 * index + 1]];
      const [mirroredRe, mirroredIm] = [spectra[2 * partner], -spectra[2 * partner + 1]];
      const [a1, a2] = [re + mirroredRe, im + mirroredIm];
      const [b1, b2] = [im - mirroredIm, mirroredRe - re];
      cross[ring] += weight * (a1 * b1 + a2 * b2);
      powerA[ring] += weight * (a1 * a1 + a2 * a2);
      powerB[ring] += weight * (b1 * b1 + b2 * b2);
      counts[ring] += weight;
    }
  }
  const values = cross.map((sum, ring) => {
    const power = Math.sqrt(powerA[ring] * powerB[ring]);
    return power > 0 ? Math.min(1, Math.max(-1, sum / power)) : 0;
  });
  return { frequencies: Float64Array.from(values, (_, ring) => ring * width), values, counts, nyquist };
}

/**
 * The curve smoothed by LOESS (W. S. Cleveland, J. Am. Stat. Assoc. 74, 1979): at each ring the straight line of least
 * squares, weighted by the tricube of the distance, through the `span` nearest rings.
 *
 * @throws {RangeError} where the span is not a whole number of at least three and at most as many as there are rings.
 */
export function smoothed(correlation: RingCorrelation, span: number): RingCorrelation {
  const { values } = correlation;
  const count = values.length;
  if (!(Number.isInteger(span) && span >= 3 && span <= count)) {
    throw new RangeError(explain({
      what: `LOESS over ${span} of ${count} rings`,
      where: "smoothed()",
      fix: `give a whole number from 3 to ${count}`,
    }));
  }
  const fitted = values.map((_, at) => {
    // The nearest ones are a run; it is moved as long as its other side is nearer.
    let start = Math.max(0, Math.min(count - span, at - span + 1));
    while (start + span < count && start + span - at < at - start) start++;
    const reach = Math.max(at - start, start + span - 1 - at);
    let [w, wx, wy, wxx, wxy] = [0, 0, 0, 0, 0];
    for (let i = start; i < start + span; i++) {
      const x = i - at;
      const weight = Math.max(0, 1 - (Math.abs(x) / reach) ** 3) ** 3;
      w += weight, wx += weight * x, wy += weight * values[i];
      wxx += weight * x * x, wxy += weight * x * values[i];
    }
    return (wy * wxx - wx * wxy) / (w * wxx - wx * wx);
  });
  return { ...correlation, values: fitted };
}

function requirePair(a: Image, b: Image): readonly number[] {
  const refuse = (kind: typeof TypeError | typeof RangeError, what: string, fix: string): never => {
    throw new kind(explain({ what, where: "ringCorrelation()", fix }));
  };
  if (!sameShape(a.shape, b.shape)) {
    refuse(TypeError, `images [${a.shape}] and [${b.shape}]`, "crop both to one size");
  }
  if (a.shape.length < 3 || a.shape.length > 4 || a.shape.at(-1) !== 1) {
    refuse(TypeError, `an image [${a.shape}]`, "give [height, width, 1] or [depth, height, width, 1]");
  }
  const extents = a.shape.slice(0, -1);
  if (extents.some((extent) => extent < 4)) {
    refuse(RangeError, `an image [${a.shape}]`, "give at least four pixels along each axis");
  }
  if (![a, b].every(({ data }) => isFiniteEverywhere(data))) {
    refuse(RangeError, "values that are not finite", "leave the image out, or replace them");
  }
  return extents;
}

/** The centred transform of a + ib, both windowed and brought to one scale, which a correlation does not see. */
function transformed(a: Image, b: Image, extents: readonly number[]): Complex {
  const windows = extents.map(tukey);
  const [scaleA, scaleB] = [a, b].map((image) => 1 / (largest(image) || 1));
  const values = new Float64Array(2 * a.data.length);
  const last = extents.length - 1;
  const rows = a.data.length / extents[last];
  for (let row = 0; row < rows; row++) {
    let weight = 1;
    for (let axis = last - 1, rest = row; axis >= 0; axis--) {
      weight *= windows[axis][rest % extents[axis]];
      rest = Math.floor(rest / extents[axis]);
    }
    for (let column = 0, at = row * extents[last]; column < extents[last]; column++, at++) {
      const both = weight * windows[last][column];
      values[2 * at] = both * scaleA * a.data[at];
      values[2 * at + 1] = both * scaleB * b.data[at];
    }
  }
  transformAxes(values, extents, false);
  return values;
}

function largest(image: Image): number {
  return Math.max(maximum([image]), -image.data.reduce((least, value) => Math.min(least, value), Infinity));
}

/** Flat in the middle, with cosine slopes over an eighth at either end, zero at both. */
function tukey(length: number): Float64Array {
  const slope = 0.25 * (length - 1) / 2;
  return Float64Array.from({ length }, (_, i) => {
    const fromEnd = Math.min(i, length - 1 - i);
    return fromEnd >= slope ? 1 : 0.5 * (1 - Math.cos(Math.PI * fromEnd / slope));
  });
}

/** Every row of the transform along its last axis, the row of the negative frequencies, and the square without that axis. */
function* rowsOf(
  extents: readonly number[],
  squares: readonly Float64Array[],
): Generator<{ row: number; opposite: number; square: number }> {
  const rest = extents.slice(0, -1);
  const rows = rest.reduce((product, extent) => product * extent, 1);
  for (let row = 0; row < rows; row++) {
    let [opposite, square, step, left] = [0, 0, 1, row];
    for (let axis = rest.length - 1; axis >= 0; axis--) {
      const place = left % rest[axis];
      opposite += step * ((2 * Math.floor(rest[axis] / 2) - place) % rest[axis]);
      square += squares[axis][place];
      step *= rest[axis];
      left = Math.floor(left / rest[axis]);
    }
    yield { row, opposite, square };
  }
}
