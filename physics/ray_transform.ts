/**
 * The parallel-beam ray transform: line integrals of an image, from views all around it.
 *
 * The field is the smallest square around the image, and lengths are half-widths of it: the field is [−1, 1]²,
 * x to the right and y up. View j looks along the lines x·cos θ + y·sin θ = t with θ = jπ/views, and bin k is
 * centred at t = −span + (2k + 1)·span/bins. A measurement is in the image's unit times half-widths.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { lineSums, type ParallelLines, spreadAlongLines } from "../engine/lines.ts";
import { filteredBackProjection, type FilterName } from "./filtered_back_projection.ts";
import type { Operator } from "./operator.ts";
import { requireBatch } from "./shapes.ts";

/** What the detector covers: the field's inscribed circle, or all of the image, corners too. */
export const detectors = ["circle", "square"] as const;

/** One of {@linkcode detectors}. */
export type Detector = typeof detectors[number];

/** What {@linkcode rayTransform} takes. */
export interface RayGeometry {
  /** Height and width of the image. */
  readonly size: readonly [height: number, width: number];
  /** Views, evenly over half a turn. */
  readonly views: number;
  /** Bins of each view. */
  readonly bins: number;
  /** What the bins cover; the square unless said. */
  readonly detector?: Detector;
  /** The filter of `approximateInverse`; Ram-Lak unless said. */
  readonly filter?: FilterName;
}

/** Half the width of the detector, in half-widths of the field. */
export function spanOf([height, width]: RayGeometry["size"], detector: Detector): number {
  return detector === "circle" ? 1 : Math.hypot(height, width) / Math.max(height, width);
}

/**
 * The ray transform of images `[height, width, 1]`, to `[views, bins, 1]`: along the middle of each bin,
 * interpolating linearly between pixels (engine/lines.ts). `norm` is a bound that takes no computing, and is
 * loose; `withNorm` (norm.ts) finds a close one. `approximateInverse` is filtered back-projection.
 *
 * @throws {RangeError} where a count is not a whole number from 1 on.
 */
export function rayTransform(geometry: RayGeometry): Operator {
  const { size: [height, width], views, bins, detector = "square", filter = "ram-lak" } = geometry;
  for (const [name, count] of Object.entries({ height, width, views, bins })) {
    if (Number.isInteger(count) && count >= 1) continue;
    throw new RangeError(explain({
      what: `${name} cannot be ${count}`,
      where: "ray-transform",
      fix: "give a whole number of at least 1",
    }));
  }
  const pixelSize = 2 / Math.max(height, width);
  const lines: ParallelLines = {
    height,
    width,
    angles: Array.from({ length: views }, (_, view) => view * Math.PI / views),
    bins,
    spacing: 2 * spanOf([height, width], detector) / bins / pixelSize,
    interpolate: "pixels",
  };
  const back = filteredBackProjection(lines, pixelSize, filter);
  const imageShape = [height, width, 1];
  const measurementShape = [views, bins, 1];
  const name = "ray-transform";
  return {
    name,
    settings: { height, width, views, bins, detector, filter },
    imageShape,
    measurementShape,
    norm: pixelSize * Math.sqrt(longestLine(lines) * mostThroughPixel(lines)),
    forward: (image) =>
      tf.tidy(() => {
        requireBatch(name, image, imageShape);
        return tf.mul(lineSums(image as tf.Tensor4D, lines), pixelSize);
      }),
    adjoint: (measurement) =>
      tf.tidy(() => {
        requireBatch(name, measurement, measurementShape);
        return tf.mul(spreadAlongLines(measurement as tf.Tensor4D, lines), pixelSize);
      }),
    approximateInverse(measurement) {
      requireBatch(name, measurement, measurementShape);
      return back(measurement);
    },
  };
}

// Of a matrix without negative numbers, ‖A‖² is at most its largest row sum times its largest column sum
// (Schur 1911).

/**
 * No line has more weight, in pixels: the diagonal, and half a pixel beyond each end, which interpolation
 * reaches.
 */
function longestLine({ height, width }: ParallelLines): number {
  return Math.hypot(height + 1, width + 1);
}

/** No pixel gives more to all lines together. */
function mostThroughPixel({ angles, spacing }: ParallelLines): number {
  return angles.reduce((sum, angle) => {
    const along = Math.max(Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle)));
    const half = along / spacing; // half-width of a pixel's hat, in bins
    // The sum of the hat at whole distances is largest with one at its top, or one at its end.
    const at = (offset: number) => {
      let hat = 0;
      for (let n = Math.ceil(-half - offset); n <= half - offset; n++) hat += 1 - Math.abs(n + offset) / half;
      return hat;
    };
    return sum + Math.max(at(0), at(half)) / along;
  }, 0);
}
