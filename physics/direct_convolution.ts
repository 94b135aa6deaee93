/**
 * Convolution as a sum over the kernel's pixels. A volume's slices are a batch of images, each of which has its
 * neighbours along the depth as channels, so that the convolution of images does both.
 */

import * as tf from "@tensorflow/tfjs-core";
import { conv2d, conv2dBackpropInput } from "../engine/ops.ts";
import type { Grid } from "./convolution_grid.ts";

/** A way to convolve: its three parts borrow what they are given, and are differentiable in all of it. */
export interface Way {
  /** What it is called in the keys of what is kept. */
  readonly name: string;
  /** A kernel `[depth, height, width]` in the form that the others take it in. */
  prepare(kernel: tf.Tensor3D): tf.Tensor;
  /** `[batch, ...image]` to `[batch, ...measurement]`. */
  forward(image: tf.Tensor4D, prepared: tf.Tensor): tf.Tensor4D;
  /** The adjoint of that, `[batch, ...measurement]` to `[batch, ...image]`. */
  adjoint(measurement: tf.Tensor4D, prepared: tf.Tensor): tf.Tensor4D;
}

/** Directly. Prepared is the kernel turned round, a filter `[height, width, depth, 1]`. */
export function directly({ image, kernel: [depth], measurement, first, reach }: Grid): Way {
  const [slices, height, width] = measurement;
  const [reachSlices, rows, columns] = reach;
  const around = first.map((before, axis): [number, number] => [
    before,
    image[axis] - reach[axis] - before,
  ]);
  return {
    name: "sums",
    prepare: (kernel) => tf.expandDims(tf.transpose(tf.reverse(kernel), [1, 2, 0]), 3),

    forward(x, filter) {
      const n = x.shape[0];
      const part = tf.slice(x, [0, ...first], [n, ...reach]);
      const neighbours = depth === 1 ? part : tf.stack(
        Array.from(
          { length: depth },
          (_, slice) => tf.slice(part, [0, slice, 0, 0], [n, slices, rows, columns]),
        ),
        4,
      );
      const images = tf.reshape<tf.Rank.R4>(neighbours, [n * slices, rows, columns, depth]);
      return tf.reshape(conv2d(images, filter as tf.Tensor4D), [n, slices, height, width]);
    },

    adjoint(y, filter) {
      const n = y.shape[0];
      const images = tf.reshape<tf.Rank.R4>(y, [n * slices, height, width, 1]);
      const spread = conv2dBackpropInput(images, filter as tf.Tensor4D, [rows, columns]);
      const neighbours = depth === 1
        ? [tf.reshape(spread, [n, slices, rows, columns])]
        : tf.unstack(tf.reshape(spread, [n, slices, rows, columns, depth]), 4);
      const part = neighbours
        .map((plane, slice) =>
          depth === 1 ? plane : tf.pad(plane, [[0, 0], [slice, reachSlices - slices - slice], [0, 0], [0, 0]])
        )
        .reduce((sum, plane) => tf.add(sum, plane));
      return tf.pad(part, [[0, 0], ...around]) as tf.Tensor4D;
    },
  };
}
