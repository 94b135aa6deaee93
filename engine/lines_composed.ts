/**
 * Sums along lines and their adjoint as stock ops, straight from the definition in `lines.ts`: for each view,
 * and for as many rows (or columns) at once as memory is for, a matrix of weights.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { ParallelLines } from "./lines.ts";

/** `lineSums` (lines.ts). */
export function composedLineSums(x: tf.Tensor4D, lines: ParallelLines): tf.Tensor {
  const { angles, bins } = lines;
  const [n, , , channels] = x.shape;
  const views = angles.map((angle) =>
    summed(strips(lines, angle), [n * channels, bins], ({ weights, from, walks, across, steep }) => {
      const walked = tf.slice(tf.transpose(x, steep ? [0, 3, 1, 2] : [0, 3, 2, 1]), [0, 0, from, 0], [
        n,
        channels,
        walks,
        across,
      ]);
      return tf.matMul(tf.reshape(walked, [n * channels, walks * across]), weights());
    })
  );
  return tf.transpose(tf.reshape(tf.stack(views), [angles.length, n, channels, bins]), [1, 0, 3, 2]);
}

/** `spreadAlongLines` (lines.ts). */
export function composedSpread(y: tf.Tensor4D, lines: ParallelLines): tf.Tensor {
  const { height, width, angles, bins } = lines;
  const [n, , , channels] = y.shape;
  const views = tf.unstack(tf.reshape(tf.transpose(y, [1, 0, 3, 2]), [angles.length, n * channels, bins]));
  const all = angles.flatMap((angle, view) => strips(lines, angle).map((strip) => ({ ...strip, view })));
  return summed(all, [n, height, width, channels], ({ weights, from, walks, across, steep, view }) => {
    const pixels = tf.matMul(views[view] as tf.Tensor2D, weights(), false, true);
    const walked = tf.pad(tf.reshape(pixels, [n, channels, walks, across]), [
      [0, 0],
      [0, 0],
      [from, (steep ? height : width) - from - walks],
      [0, 0],
    ]);
    return tf.transpose(walked, steep ? [0, 2, 3, 1] : [0, 3, 2, 1]);
  });
}

/** The sum of what `map` makes of each, one after the other. */
function summed<T>(items: readonly T[], shape: number[], map: (item: T) => tf.Tensor): tf.Tensor {
  return items.reduce((sum: tf.Tensor, item) => {
    const next = tf.tidy(() => tf.add(sum, map(item)));
    sum.dispose();
    return next;
  }, tf.zeros(shape));
}

/**
 * Neighbouring rows, where lines are `steep`, or columns, and what each line of one view takes from their
 * pixels.
 */
interface Strip {
  readonly steep: boolean;
  /** The first row or column. */
  readonly from: number;
  /** How many. */
  readonly walks: number;
  /** Pixels in each. */
  readonly across: number;
  /** `[walks·across, bins]` */
  weights(): tf.Tensor2D;
}

/** Weights in one matrix, at most. */
const room = 2 ** 22;

function strips({ height, width, bins, spacing, interpolate }: ParallelLines, angle: number): Strip[] {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const steep = Math.abs(cos) >= Math.abs(sin);
  const along = Math.abs(steep ? cos : sin);
  const half = interpolate === "pixels" ? 1 : spacing / along;
  const scale = interpolate === "pixels" ? 1 / along : 1 / spacing;
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const [all, across] = steep ? [height, width] : [width, height];

  const weightsOf = (from: number, walks: number): Float32Array => {
    const weights = new Float32Array(walks * across * bins);
    for (let walk = 0; walk < walks; walk++) {
      for (let bin = 0; bin < bins; bin++) {
        const t = (bin - (bins - 1) / 2) * spacing;
        const u = steep
          ? middleX + (t - (middleY - from - walk) * sin) / cos
          : middleY - (t - (from + walk - middleX) * cos) / sin;
        const [first, last] = [Math.max(0, Math.ceil(u - half)), Math.min(across - 1, Math.floor(u + half))];
        for (let i = first; i <= last; i++) {
          weights[(walk * across + i) * bins + bin] = scale * (1 - Math.abs(u - i) / half);
        }
      }
    }
    return weights;
  };

  const most = Math.max(1, Math.floor(room / (across * bins)));
  return Array.from({ length: Math.ceil(all / most) }, (_, index) => {
    const from = index * most;
    const walks = Math.min(most, all - from);
    const weights = () => tf.tensor2d(weightsOf(from, walks), [walks * across, bins]);
    return { steep, from, walks, across, weights };
  });
}
