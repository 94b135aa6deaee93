/** Sums along lines and their adjoint as stock ops, straight from the definition in `lines.ts`. */

import * as tf from "@tensorflow/tfjs-core";
import type { ParallelLines } from "./lines.ts";

/** `lineSums` (lines.ts). */
export function composedLineSums(x: tf.Tensor4D, lines: ParallelLines): tf.Tensor {
  const { height, width, angles, bins } = lines;
  const [n, , , channels] = x.shape;
  const seen = angles.map((angle) =>
    tf.tidy(() => {
      const { steep, weights } = weightsOf(lines, angle);
      const pixels = tf.reshape(tf.transpose(x, steep ? [0, 3, 1, 2] : [0, 3, 2, 1]), [
        n * channels,
        height * width,
      ]);
      return tf.matMul(pixels, weights as tf.Tensor2D);
    })
  );
  // [views, n·channels, bins]
  return tf.transpose(tf.reshape(tf.stack(seen), [angles.length, n, channels, bins]), [1, 0, 3, 2]);
}

/** `spreadAlongLines` (lines.ts). */
export function composedSpread(y: tf.Tensor4D, lines: ParallelLines): tf.Tensor {
  const { height, width, angles, bins } = lines;
  const [n, , , channels] = y.shape;
  const views = tf.unstack(tf.reshape(tf.transpose(y, [1, 0, 3, 2]), [angles.length, n * channels, bins]));
  return views.reduce((sum: tf.Tensor, view, index) =>
    tf.tidy(() => {
      const { steep, weights } = weightsOf(lines, angles[index]);
      const pixels = tf.matMul(view as tf.Tensor2D, weights as tf.Tensor2D, false, true);
      const image = steep
        ? tf.transpose(tf.reshape(pixels, [n, channels, height, width]), [0, 2, 3, 1])
        : tf.transpose(tf.reshape(pixels, [n, channels, width, height]), [0, 3, 2, 1]);
      return tf.add(sum, image);
    }), tf.zeros([n, height, width, channels]));
}

/**
 * What each line of one view takes from each pixel, `[pixels, bins]`: pixels row by row where lines are `steep`, else
 * column by column.
 */
function weightsOf(
  { height, width, bins, spacing, interpolate }: ParallelLines,
  angle: number,
): { readonly steep: boolean; readonly weights: tf.Tensor } {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const steep = Math.abs(cos) >= Math.abs(sin);
  const along = Math.abs(steep ? cos : sin);
  const half = interpolate === "pixels" ? 1 : spacing / along;
  const scale = interpolate === "pixels" ? 1 / along : 1 / spacing;
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const [walks, across] = steep ? [height, width] : [width, height];
  const weights = new Float32Array(walks * across * bins);
  for (let walk = 0; walk < walks; walk++) {
    for (let bin = 0; bin < bins; bin++) {
      const t = (bin - (bins - 1) / 2) * spacing;
      const u = steep
        ? middleX + (t - (middleY - walk) * sin) / cos
        : middleY - (t - (walk - middleX) * cos) / sin;
      for (let i = Math.max(0, Math.ceil(u - half)); i <= Math.min(across - 1, Math.floor(u + half)); i++) {
        weights[(walk * across + i) * bins + bin] = scale * (1 - Math.abs(u - i) / half);
      }
    }
  }
  return { steep, weights: tf.tensor2d(weights, [walks * across, bins]) };
}
