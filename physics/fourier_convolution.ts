/**
 * Convolution as a product of Fourier transforms. The transforms are as large as what the measurement depends on; what
 * wraps around their borders lies outside of it. Of two images one is the real part of a complex image and the other
 * the imaginary part, which a real kernel keeps apart.
 */

import * as tf from "@tensorflow/tfjs-core";
import { fourier, goodLength } from "../engine/fourier.ts";
import type { Extents, Grid } from "./convolution_grid.ts";
import type { Way } from "./direct_convolution.ts";

/** By Fourier transforms. Prepared is the kernel's, over the number of its values: `[2, 1, ...lengths]`. */
export function byFourier({ image, kernel, measurement, first, reach }: Grid): Way {
  const lengths = reach.map(goodLength) as unknown as Extents;
  // Where the measurement begins in what is transformed.
  const start = kernel.map((extent) => extent - 1) as unknown as Extents;
  const size = lengths.reduce((product, length) => product * length, 1);
  return {
    name: "fourier",
    prepare(kernel) {
      const alone = tf.reshape<tf.Rank.R4>(kernel, [1, ...kernel.shape]);
      return transformed(placed(tf.div(alone, size), [0, 0, 0], lengths));
    },

    forward(x, spectrum) {
      const n = x.shape[0];
      const part = tf.slice(x, [0, ...first], [n, ...reach]);
      const product = times(transformed(placed(part, [0, 0, 0], lengths)), spectrum, 1);
      return cut(product, n, start, measurement);
    },

    adjoint(y, spectrum) {
      const n = y.shape[0];
      const product = times(transformed(placed(y, start, lengths)), spectrum, -1);
      return placed(cut(product, n, [0, 0, 0], reach), first, image);
    },
  };
}

/** Images among zeros, their first pixel at `at`. */
function placed(images: tf.Tensor4D, at: Extents, extents: Extents): tf.Tensor4D {
  const around = at.map((before, axis): [number, number] => [
    before,
    extents[axis] - before - images.shape[axis + 1],
  ]);
  return tf.pad(images, [[0, 0], ...around]) as tf.Tensor4D;
}

/** The transforms `[2, ⌈n / 2⌉, …]` of n images, in pairs. */
function transformed(images: tf.Tensor4D): tf.Tensor5D {
  const [n, ...extents] = images.shape;
  const pairs = Math.ceil(n / 2);
  const even = n % 2 === 0 ? images : tf.pad(images, [[0, 1], [0, 0], [0, 0], [0, 0]]);
  let values = tf.reshape<tf.Rank.R5>(even, [2, pairs, ...extents]);
  for (const axis of [4, 3, 2]) {
    if (values.shape[axis] > 1) values = fourier(values, axis);
  }
  return values;
}

/** Part of each of the `n` images with these transforms. */
function cut(transforms: tf.Tensor5D, n: number, at: Extents, extents: Extents): tf.Tensor4D {
  let values = transforms;
  // What is not asked for need not be transformed along the other axes.
  for (const axis of [2, 3, 4]) {
    if (values.shape[axis] > 1) values = fourier(values, axis, { inverse: true });
    const [begin, size] = [values.shape.map(() => 0), [...values.shape]];
    begin[axis] = at[axis - 2];
    size[axis] = extents[axis - 2];
    values = tf.slice(values, begin, size);
  }
  const images = tf.reshape<tf.Rank.R4>(values, [2 * values.shape[1], ...extents]);
  return tf.slice(images, [0, 0, 0, 0], [n, ...extents]);
}

/** The product of complex numbers, or with `sign` −1 that with the conjugate of the second. */
function times(a: tf.Tensor5D, b: tf.Tensor, sign: 1 | -1): tf.Tensor5D {
  const [re, im] = tf.unstack(a);
  const [bRe, bIm] = tf.unstack(b).map((part, which) => which === 1 && sign === -1 ? tf.neg(part) : part);
  return tf.stack([
    tf.sub(tf.mul(re, bRe), tf.mul(im, bIm)),
    tf.add(tf.mul(re, bIm), tf.mul(im, bRe)),
  ]) as tf.Tensor5D;
}
