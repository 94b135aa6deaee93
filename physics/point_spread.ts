/** Point spread functions as kernels: of given optics, of files, and of the microscopes that were really used. */

import { explain } from "../core/errors.ts";
import { type Image, sizeOf } from "../core/image.ts";
import { bornWolfKernel, bornWolfVolume, type Optics } from "./born_wolf.ts";
import type { Shape } from "./operator.ts";

/** A microscope's optics, and the grid that they are sampled on. */
export interface PointSpread extends Optics {
  /** `[side, side, 1]`, or `[depth, side, side, 1]` for volumes; odd. */
  readonly shape: Shape;
  readonly pixelNm: number;
  /** Between planes of a volume. */
  readonly stepNm: number;
  /** In the plane: distances from the focus that the kernel is the mean over, as a thick specimen's is. */
  readonly defociNm: readonly number[];
  /** σ of a Gaussian in its stead, across and along the axis; 0: Born and Wolf's function. */
  readonly sigmaNm: readonly [across: number, along: number];
}

/**
 * By how much another microscope's function is wider than the given one, where that is a file's: `s1.3` by 1.3, `610nm` by
 * the ratio of the wavelengths, which Born and Wolf's function depends on as on the lengths' unit. Undefined for other names.
 */
export function stretchOf(
  { wavelengthNm }: Pick<PointSpread, "wavelengthNm">,
  name: string,
): number | undefined {
  const found = parsed(name);
  return found?.times ?? (found?.nm && found.nm / wavelengthNm);
}

/** The kernel, of sum 1. */
export function pointSpread(spread: PointSpread): Image {
  const { shape, pixelNm, stepNm, defociNm, sigmaNm: [across, along] } = spread;
  const side = shape[shape.length - 2];
  if (across > 0) return gaussian(shape, [along / stepNm, across / pixelNm, across / pixelNm]);
  return shape.length === 4
    ? bornWolfVolume(spread, { side, pixelNm, depth: shape[0], stepNm })
    : bornWolfKernel(spread, { side, pixelNm }, defociNm);
}

/**
 * Another microscope, by a short name: `610nm`, light of this wavelength; `s1.3`, a function 1.3 times as wide; `g2.62`, a
 * Gaussian of σ 2.62 pixels, or `g2.62,4` with σ 4 planes along the axis. Undefined for what is no such name.
 */
export function otherSpread(spread: PointSpread, name: string): PointSpread | undefined {
  const found = parsed(name);
  if (found === undefined) return undefined;
  const { nm, times, across, along = across } = found;
  const { pixelNm, stepNm, defociNm, sigmaNm } = spread;
  if (nm !== undefined) return { ...spread, wavelengthNm: nm };
  if (times !== undefined) {
    const wider: PointSpread["sigmaNm"] = [sigmaNm[0] * times, sigmaNm[1] * times];
    // The same function on pixels that are smaller to it; the specimen is as thick as it was.
    return sigmaNm[0] > 0
      ? { ...spread, sigmaNm: wider }
      : { ...spread, pixelNm: pixelNm / times, stepNm: stepNm / times, defociNm };
  }
  return { ...spread, sigmaNm: [across! * pixelNm, along! * stepNm] };
}

/** The numbers in a microscope's short name, of which one is there, or the last two; undefined where it is none. */
function parsed(name: string): { nm?: number; times?: number; across?: number; along?: number } | undefined {
  const number = String.raw`(\d+\.?\d*|\.\d+)`;
  const found = new RegExp(`^(?:${number}nm|s${number}|g${number}(?:,${number})?)$`).exec(name);
  if (found === null) return undefined;
  const [nm, times, across, along] = found.slice(1).map((text) =>
    text === undefined ? undefined : Number(text)
  );
  return [nm, times, across, along].includes(0) ? undefined : { nm, times, across, along };
}

/** A Gaussian sampled at the pixels' centres, sum 1; σ in pixels along `[depth, height, width]`. */
function gaussian(shape: Shape, sigmas: readonly number[]): Image {
  const extents = shape.slice(0, -1);
  const own = sigmas.slice(-extents.length);
  const lines = extents.map((extent, axis) =>
    Array.from({ length: extent }, (_, i) => Math.exp(-((i - (extent - 1) / 2) ** 2) / (2 * own[axis] ** 2)))
  );
  const values = lines.reduce((all, line) => all.flatMap((a) => line.map((b) => a * b)), [1]);
  return normalised(shape, values);
}

/**
 * A kernel from a file: its part around its brightest value that holds all that is not 0, of odd extents of at most
 * `most`, and of sum 1. Its brightest value is its middle, also where its sides are even or its light is centred elsewhere.
 * In the plane a volume's brightest plane is taken.
 *
 * @param most `[height, width, 1]` or `[depth, height, width, 1]`
 * @param stretch so many times as wide, by linear interpolation.
 * @throws {RangeError} where it has no light, negative values or values that are no numbers; {TypeError} for other shapes.
 */
export function croppedKernel(kernel: Image, most: Shape, where: string, stretch = 1): Image {
  const refuse = (what: string, fix: string): never => {
    throw new RangeError(explain({ what, where, fix }));
  };
  const { shape, data } = most.length === 3 && kernel.shape.length === 4 ? brightestPlane(kernel) : kernel;
  if (shape.length !== most.length || shape.at(-1) !== 1) {
    throw new TypeError(explain({
      what: `a kernel [${kernel.shape}] for images with ${most.length - 1} axes`,
      where,
      fix: `give a kernel with ${most.length - 1} axes and one channel`,
    }));
  }
  if (data.some((value) => !(value >= 0 && value < Infinity))) {
    refuse("its kernel has negative values, or some that are no numbers", "subtract no background from it");
  }
  const extents = shape.slice(0, -1);
  const strides = extents.map((_, axis) => sizeOf(extents.slice(axis + 1)));
  const along = (i: number, axis: number) => Math.floor(i / strides[axis]) % extents[axis];
  const sum = data.reduce((total, value) => total + value, 0);
  if (sum === 0) refuse("its kernel holds no light", "give another file");
  // The brightest value is at the focus; the centre of mass may lie off it where the file is cut unevenly.
  const brightest = data.reduce((best, value, i) => value > data[best] ? i : best, 0);
  const centre = extents.map((_, axis) => along(brightest, axis));
  const reach = extents.map((_, axis) =>
    data.reduce(
      (most, value, i) => value > 0 ? Math.max(most, Math.abs(along(i, axis) - centre[axis])) : most,
      0,
    )
  );
  const half = reach.map((pixels, axis) =>
    Math.min(Math.ceil(pixels * stretch), Math.floor((most[axis] - 1) / 2))
  );
  const cropped = half.map((pixels) => 2 * pixels + 1);
  const valueAt = (place: readonly number[]) =>
    place.some((at, axis) => at < 0 || at >= extents[axis])
      ? 0
      : data[place.reduce((from, at, axis) => from + at * strides[axis], 0)];
  const values = Array.from({ length: sizeOf(cropped) }, (_, i) => {
    const place = cropped.map((_, axis) => {
      const offset = Math.floor(i / sizeOf(cropped.slice(axis + 1))) % cropped[axis] - half[axis];
      return offset / stretch + centre[axis];
    });
    return interpolated(valueAt, place);
  });
  return normalised([...cropped, 1], values);
}

/** The value at a place between whole ones, by linear interpolation along each axis. */
function interpolated(valueAt: (place: readonly number[]) => number, place: readonly number[]): number {
  const axis = place.findIndex((at) => !Number.isInteger(at));
  if (axis < 0) return valueAt(place);
  const below = Math.floor(place[axis]);
  const part = place[axis] - below;
  return (1 - part) * interpolated(valueAt, place.with(axis, below)) +
    part * interpolated(valueAt, place.with(axis, below + 1));
}

function brightestPlane({ shape: [, ...plane], data }: Image): Image {
  const size = sizeOf(plane);
  const brightest = data.reduce((best, value, i) => value > data[best] ? i : best, 0);
  const from = brightest - brightest % size;
  return { shape: plane, data: data.subarray(from, from + size) };
}

/**
 * How bright a thin structure of brightness 1 is after the kernel: a straight ridge of Gaussian profile, σ pixels, along
 * the width of the image.
 */
export function ridgeBrightness({ shape, data }: Image, sigma: number): number {
  const [height, width] = shape.slice(-3);
  const depth = shape.length === 4 ? shape[0] : 1;
  return data.reduce((sum, value, i) => {
    const row = Math.floor(i / width) % height - (height - 1) / 2;
    const plane = Math.floor(i / width / height) - (depth - 1) / 2;
    return sum + value * Math.exp(-(row ** 2 + plane ** 2) / (2 * sigma ** 2));
  }, 0);
}

function normalised(shape: Shape, values: readonly number[]): Image {
  const sum = values.reduce((total, value) => total + value, 0);
  return { shape, data: Float32Array.from(values, (value) => value / sum) };
}
