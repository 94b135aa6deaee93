/**
 * Sums of an image along parallel lines seen from many sides, and the adjoint, as ordinary ops.
 *
 * Coordinates are pixels from the middle of the image, x to the right and y *up*: pixel (row, column) of a
 * `height` x `width` image lies at x = column − (width − 1)/2, y = (height − 1)/2 − row. Line k of a view is
 * x·cos θ + y·sin θ = (k − (bins − 1)/2)·spacing.
 *
 * **Interpolation.** A line that is nearer to upright than to lying crosses every row of pixels once, at
 * place u; the others cross every column so. What it takes from pixel i of that row is the length of line in
 * the row times a hat function of u − i. `interpolate: "pixels"` makes the hat 2 pixels wide: between two
 * pixels their values are interpolated (Joseph 1982, doi:10.1109/TMI.1982.4307572), and a line's weights add
 * up to its length: right for `lineSums`. `"bins"` makes it as wide as two steps from line to line: each
 * pixel's value is shared out among the two lines nearest to it, and `spreadAlongLines` interpolates between
 * the lines: right for back-projection.
 *
 * Both ops are linear, exact adjoints of each other, and each other's gradient, of any order. On `wasm` they
 * need room for four copies of the image and of the sums, and no tables.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { kernel } from "./kernel_names.ts";
import type { Tensor4D } from "./tensor.ts";
import "./gradients.ts";
import "./stock_gradients.ts";

/** Lines over images of one size. Lengths are in pixels. */
export interface ParallelLines {
  /** Rows of the image. */
  readonly height: number;
  /** Columns of the image. */
  readonly width: number;
  /** The direction θ, in radians, of the normals of each view's lines. */
  readonly angles: readonly number[];
  /** Lines in a view. */
  readonly bins: number;
  /** Distance from line to line. */
  readonly spacing: number;
  /** Between what is interpolated; see above. */
  readonly interpolate: "pixels" | "bins";
}

/**
 * Line integrals, in the image's values times pixels: `x` `[n, height, width, c]` to `[n, views, bins, c]`.
 *
 * @throws {RangeError} where the image is not of the lines' size, or the lines are none.
 */
export function lineSums(x: Tensor4D, lines: ParallelLines): Tensor4D {
  requireFit("lineSums", x, lines, [lines.height, lines.width]);
  return tf.engine().runKernel(kernel.lineSums, { x }, attributesOf(lines)) as Tensor4D;
}

/**
 * The adjoint of {@linkcode lineSums}: each pixel gets what the lines through it hold, by the same weights.
 * `y` `[n, views, bins, c]` to `[n, height, width, c]`.
 *
 * @throws {RangeError} where `y` does not have the lines' views and bins, or the lines are none.
 */
export function spreadAlongLines(y: Tensor4D, lines: ParallelLines): Tensor4D {
  requireFit("spreadAlongLines", y, lines, [lines.angles.length, lines.bins]);
  return tf.engine().runKernel(kernel.spreadAlongLines, { y }, attributesOf(lines)) as Tensor4D;
}

function attributesOf({ height, width, angles, bins, spacing, interpolate }: ParallelLines): tf.NamedAttrMap {
  return { height, width, angles: angles as number[], bins, spacing, interpolate };
}

function requireFit(
  op: string,
  tensor: Tensor4D,
  lines: ParallelLines,
  extent: readonly [number, number],
): void {
  const { angles, bins, spacing } = lines;
  const whole = Number.isInteger(bins) && bins >= 1;
  if (
    !whole || !(spacing > 0 && spacing < Infinity) || angles.length === 0 || !angles.every(Number.isFinite)
  ) {
    throw new RangeError(explain({
      what: `${op}: no lines: ${angles.length} views, ${bins} bins, ${spacing} pixels apart`,
      fix: "give finite angles, a whole number of bins and a positive distance",
    }));
  }
  const { rank, dtype, shape } = tensor;
  if (rank !== 4 || dtype !== "float32" || shape[1] !== extent[0] || shape[2] !== extent[1]) {
    throw new RangeError(explain({
      what: `${op}: a ${dtype} tensor [${shape}] for ${angles.length} views with ${bins} bins of ` +
        `${lines.height}x${lines.width} pixels`,
      fix: `give float32 [batch, ${extent[0]}, ${extent[1]}, channels]`,
    }));
  }
}
