/**
 * K-space and images of MRI: from one to the other, and to the size that a run works at.
 *
 * One rule for every kind of file: without a `matrix` images stay as the file has them; with one, the field of view is
 * made square by centre crop or zero padding of the image, and k-space is then cropped or zero-padded to the matrix,
 * which keeps the field of view and changes the resolution. Values keep their unit.
 */

import type { Image } from "../core/image.ts";
import type { Rng } from "../core/random.ts";
import { type Complex, transformOf } from "../core/fourier.ts";

/** Complex images of one size, `[height, width, channels]` with real and imaginary part of each coil in turn. */
export interface ComplexImages {
  readonly height: number;
  readonly width: number;
  /** Each `[height, width]`, row-major. */
  readonly coils: readonly Complex[];
}

/** What becomes of one axis, which is k-space or already an image: its length, in the field of view, in the matrix. */
interface Resize {
  readonly isImage?: boolean;
  readonly from: number;
  readonly fieldOfView: number;
  readonly to: number;
}

/**
 * Coil images `[height, width, 2·coils]` of fully sampled k-space, the centred orthonormal inverse transform; with
 * `size`, in a square field of view of `fieldOfView` samples and brought to `matrix`.
 */
export function imagesOf(kspace: ComplexImages, size?: { fieldOfView: number; matrix: number }): Image {
  const along = (length: number): Resize =>
    size === undefined
      ? { from: length, fieldOfView: length, to: length }
      : { from: length, fieldOfView: size.fieldOfView, to: size.matrix };
  return reconstructed(kspace, along(kspace.height), along(kspace.width));
}

/**
 * Aliased coil images of undersampled k-space whose columns were measured or not. The columns' field of view stays,
 * since a crop there would mix measured columns with others; the rows' is made equal to it.
 */
export function aliasedImagesOf(kspace: ComplexImages, matrix?: number): Image {
  const { height, width } = kspace;
  if (matrix === undefined) return imagesOf(kspace);
  return reconstructed(
    kspace,
    { from: height, fieldOfView: width, to: matrix },
    { from: width, fieldOfView: width, to: matrix },
  );
}

/** The complex image of a file, with `matrix` brought to it as fully sampled k-space would be. */
export function resized(image: ComplexImages, matrix?: number): Image {
  const { height, width } = image;
  if (matrix === undefined) return interleaved(image);
  const fieldOfView = Math.max(height, width);
  const square = (from: number): Resize => ({ isImage: true, from, fieldOfView, to: matrix });
  return reconstructed(image, square(height), square(width));
}

/** Which of `length` lines, some of them measured, are still there in a matrix of `to` lines, and are measured. */
export function linesInMatrix(measured: readonly boolean[], to: number): number[] {
  const shift = Math.floor(to / 2) - Math.floor(measured.length / 2);
  const lines: number[] = [];
  measured.forEach((is, line) => {
    if (is && line + shift >= 0 && line + shift < to) lines.push(line + shift);
  });
  return lines;
}

/**
 * A magnitude image with a smooth phase: a polynomial of second order in position, each of whose six terms is at most
 * 0.2 rad at the image's edge. A receiver's phase is of this kind; `rng` is the slice's own stream.
 */
export function withSmoothPhase(
  magnitude: Float32Array,
  height: number,
  width: number,
  rng: Rng,
): ComplexImages {
  const term = () => 0.4 * rng.uniform() - 0.2;
  const [constant, byX, byY, byXX, byXY, byYY] = [term(), term(), term(), term(), term(), term()];
  const coil = new Float64Array(2 * height * width);
  for (let row = 0; row < height; row++) {
    const y = (2 * row + 1) / height - 1;
    for (let column = 0; column < width; column++) {
      const x = (2 * column + 1) / width - 1;
      const phase = constant + byX * x + byY * y + byXX * x * x + byXY * x * y + byYY * y * y;
      const i = row * width + column;
      coil[2 * i] = magnitude[i] * Math.cos(phase);
      coil[2 * i + 1] = magnitude[i] * Math.sin(phase);
    }
  }
  return { height, width, coils: [coil] };
}

function reconstructed(source: ComplexImages, rows: Resize, columns: Resize): Image {
  const coils = source.coils.map((coil) =>
    transposed(
      resizedLines(transposed(resizedLines(coil, columns), rows.from, columns.to), rows),
      columns.to,
      rows.to,
    )
  );
  return interleaved({ height: rows.to, width: columns.to, coils });
}

/** Lines of k-space, or of an image, to lines of an image of another length. */
function resizedLines(lines: Complex, { isImage = false, from, fieldOfView, to }: Resize): Complex {
  const count = lines.length / (2 * from);
  // Forward with one length and back with another, orthonormal transforms scale values by the root of their ratio.
  const unit = Math.sqrt(to / fieldOfView);
  const output = new Float64Array(2 * count * to);
  for (let line = 0; line < count; line++) {
    let values: Complex = lines.slice(2 * line * from, 2 * (line + 1) * from);
    if (isImage || fieldOfView !== from) {
      if (!isImage) transformOf(from)(values, true);
      values = aboutCentre(values, fieldOfView);
      transformOf(fieldOfView)(values, false);
    }
    values = aboutCentre(values, to);
    for (let i = 0; i < values.length; i++) values[i] *= unit;
    transformOf(to)(values, true);
    output.set(values, 2 * line * to);
  }
  return output;
}

/** The line with its centre kept, cropped or zero-padded to `length`. */
function aboutCentre(line: Complex, length: number): Complex {
  const shift = Math.floor(length / 2) - Math.floor(line.length / 4);
  const output = new Float64Array(2 * length);
  const first = Math.max(0, -shift);
  const last = Math.min(line.length / 2, length - shift);
  output.set(line.subarray(2 * first, 2 * last), 2 * (first + shift));
  return output;
}

function transposed(values: Complex, rows: number, columns: number): Complex {
  const output = new Float64Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const from = 2 * (row * columns + column);
      const to = 2 * (column * rows + row);
      output[to] = values[from];
      output[to + 1] = values[from + 1];
    }
  }
  return output;
}

function interleaved({ height, width, coils }: ComplexImages): Image {
  const channels = 2 * coils.length;
  const data = new Float32Array(height * width * channels);
  coils.forEach((coil, c) => {
    for (let i = 0; i < height * width; i++) {
      data[i * channels + 2 * c] = coil[2 * i];
      data[i * channels + 2 * c + 1] = coil[2 * i + 1];
    }
  });
  return { shape: [height, width, channels], data };
}
