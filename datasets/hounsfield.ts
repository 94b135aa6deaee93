/** Images in Hounsfield units: what is outside of them, and how they are brought to a size. */

import type { Image } from "../core/image.ts";
import { paddedToSquare, resampled, resamplingOf } from "./resample.ts";

/**
 * What stands where nothing was measured, in HU: the least value of scanners whose intercept is −1024. Air is −1000;
 * noise goes below it, and what is lower still is not a measurement.
 */
export const outside = -1024;

/** What every table must say that was made from normal-dose images alone. */
export const simulatedDose =
  "the low dose was simulated by noise in the ray transform of normal-dose images: " +
  "scores on a simulated dose are not scores on a scanner's low dose";

/** How slices in HU become samples. */
export interface HuOptions {
  /** Side of the square matrix that they are brought to; absent: as they are. */
  readonly matrix?: number;
  /** False: they stay as the file has them. */
  readonly simulate?: boolean;
}

/**
 * A slice `[height, width]` in HU as the image of a sample. What lies below −1024 is raised to it, since scanners and
 * interpolation leave such values outside of the circle that was measured, and no ray would pass them; for a matrix
 * the slice is padded to a square, and resampled.
 */
export function huImage(
  values: Float32Array,
  height: number,
  width: number,
  { matrix, simulate = true }: HuOptions,
): Image {
  if (simulate) values = values.map((value) => Math.max(value, outside));
  if (matrix === undefined) return { shape: [height, width, 1], data: values };
  return resampled(paddedToSquare(values, height, width, outside), Math.max(height, width), matrix);
}

/** Shape of what {@linkcode huImage} gives, and the size of its pixels. */
export function huGeometry(
  { height, width, pixelSizeMm }: { height: number; width: number; pixelSizeMm?: readonly number[] },
  { matrix }: HuOptions,
): { shape: number[]; pixelSizeMm?: readonly number[] } {
  if (matrix === undefined) return { shape: [height, width, 1], pixelSizeMm };
  const zoom = Math.max(height, width) / matrix;
  return { shape: [matrix, matrix, 1], pixelSizeMm: pixelSizeMm?.map((size) => size * zoom) };
}

/** What was seen of slices in HU while they were looked at, in words. */
export class HuSurvey {
  #pixels = 0;
  #below = 0;
  readonly #sizes = new Set<string>();
  readonly #ways = new Set<string>();

  constructor(readonly options: HuOptions) {}

  /** Counts a slice; gives its least and its greatest value. */
  see(values: Float32Array, height: number, width: number): { least: number; greatest: number } {
    let [least, greatest] = [Infinity, -Infinity];
    for (let i = 0; i < values.length; i++) {
      if (values[i] < least) least = values[i];
      if (values[i] > greatest) greatest = values[i];
      if (values[i] < outside) this.#below++;
    }
    this.#pixels += values.length;
    const { matrix } = this.options;
    const side = Math.max(height, width);
    if (height !== width) this.#sizes.add(`${height} x ${width}`);
    if (matrix !== undefined && matrix !== side) this.#ways.add(resamplingOf(side, matrix));
    return { least, greatest };
  }

  /** What every table must say. */
  get banners(): string[] {
    if (this.#ways.size === 0) return [];
    const { matrix } = this.options;
    return [`images were brought to ${matrix} x ${matrix} by ${[...this.#ways].sort().join(" and ")}`];
  }

  /** What else was done. */
  get notes(): string[] {
    const { matrix, simulate = true } = this.options;
    const notes: string[] = [];
    if (this.#below > 0) {
      const share = (100 * this.#below / this.#pixels).toPrecision(2);
      notes.push(
        `${share} % of the pixels are below ${outside} HU, outside of what was measured` +
          (simulate ? `; they were set to ${outside} HU` : ""),
      );
    }
    if (matrix !== undefined && this.#sizes.size > 0) {
      notes.push(
        `slices of ${[...this.#sizes].join(", ")} were padded to squares with ${outside} HU on both sides`,
      );
    }
    return notes;
  }
}
