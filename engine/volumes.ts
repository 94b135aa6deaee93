/**
 * The operations of networks for images and for volumes alike: which of the two, the rank of the tensor says.
 *
 * **Mental model.** A volume `[n, d, h, w, c]` is a batch of n·d slices, and an op on it is the one on images
 * (`ops.ts`) between steps along the depth that only move values. A convolution is a convolution in the plane of the
 * slices that its filter meets, stacked as channels; so kernels, gradients and gradients of gradients are those of
 * images. The filter of a volume has the same four axes as one of an image: `[kh, kw, kd·c, k]`, the channels of the
 * first slice that it meets, then those of the next.
 *
 * The contracts of the suite call every batch a `Tensor4D`; what stands here is where it may have five axes.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { kernel } from "./kernel_names.ts";
import {
  averagePool2,
  concatChannels,
  concatUpsampled,
  conv2d,
  type Convolution,
  instanceNorm,
  maxPool2,
  type Normalisation,
  sliceChannels,
} from "./ops.ts";
import type { Tensor, Tensor4D } from "./tensor.ts";

/**
 * Cross-correlation of `x` with `filter`, stride and padding being the same along every axis.
 *
 * @param x `[n, h, w, c]` or `[n, d, h, w, c]`
 * @param filter `[kh, kw, c, k]` or `[kh, kw, kd·c, k]`
 * @returns ⌊(extent + 2·padding − side) / stride⌋ + 1 values along each axis of space, k channels
 * @throws {RangeError} where channels disagree or the padded volume is smaller than the filter.
 */
export function convolve(x: Tensor4D, filter: Tensor4D, options: Convolution = {}): Tensor4D {
  if (x.rank === 4) return conv2d(x, filter, options);
  const { depth, channels } = sizesOf(x);
  const { stride = 1, padding = 0 } = options;
  const taps = filter.shape[2] / channels;
  if (!Number.isInteger(taps)) {
    misfit(
      `convolve: the volume has ${channels} channels, the filter [${filter.shape}] takes ${filter.shape[2]}`,
      `give a filter [kh, kw, kd·${channels}, outputs]`,
    );
  }
  const steps = Math.floor((depth + 2 * padding - taps) / stride) + 1;
  if (steps < 1) {
    misfit(
      `convolve: a filter of ${taps} slices does not fit a volume of ${depth} with padding ${padding}`,
      "use a deeper volume, more padding or fewer strided layers",
    );
  }
  return tf.tidy(() => {
    const slices = slicesOf(x);
    const stacked = taps === 1 && stride === 1 && padding === 0 ? slices : tf.engine().runKernel(
      kernel.stackSlices,
      { x: slices },
      { depth, steps, taps, stride, padding },
    ) as Tensor4D;
    return volumesOf(conv2d(stacked, filter, options), steps);
  });
}

/** Instance normalisation, as {@linkcode instanceNorm}: of each sample and channel over all pixels or voxels. */
export function normalise(x: Tensor4D, options?: Normalisation): Tensor4D {
  if (x.rank === 4) return instanceNorm(x, options);
  const { n, depth, height, width, channels } = sizesOf(x);
  return tf.tidy(() => {
    const flat = tf.reshape<tf.Rank.R4>(x, [n, depth * height, width, channels]);
    return tf.reshape(instanceNorm(flat, options), x.shape);
  });
}

/** The mean of each 2x2 or 2x2x2 block: every extent of space, which has to be even, is halved. */
export function averagePool(x: Tensor4D): Tensor4D {
  if (x.rank === 4) return averagePool2(x);
  const { depth } = evenDepth("averagePool", x);
  return tf.tidy(() => {
    const slices = averagePool2(slicesOf(x));
    const [first, second] = [0, 1].map((which) => everyOther(slices, which));
    return volumesOf(tf.mul(tf.add(first, second), 0.5), depth / 2);
  });
}

/**
 * The maximum of each 2x2 or 2x2x2 block: every extent of space, which has to be even, is halved. Of equal values the
 * first in reading order takes the gradient.
 */
export function maxPool(x: Tensor4D): Tensor4D {
  if (x.rank === 4) return maxPool2(x);
  const { depth } = evenDepth("maxPool", x);
  return tf.tidy(() => {
    const slices = maxPool2(slicesOf(x));
    const [count, height, width, channels] = slices.shape;
    // Two slices, each twice, as a block of 2x2 pixels with as many channels as a slice has values.
    const larger = maxPool2(tf.reshape(twice(slices), [count / 2, 2, 2, height * width * channels]));
    return volumesOf(tf.reshape(larger, [count / 2, height, width, channels]), depth / 2);
  });
}

/** The channels of `a`, then those of `b`, each pixel or voxel of which fills a block of a's: b is half as large. */
export function joinUpsampled(a: Tensor4D, b: Tensor4D): Tensor4D {
  if (a.rank === 4) return concatUpsampled(a, b);
  const { depth } = evenDepth("joinUpsampled", a);
  return tf.tidy(() => {
    const slices = slicesOf(b);
    const [count, ...sizes] = slices.shape;
    const below = tf.reshape<tf.Rank.R4>(twice(slices), [2 * count, ...sizes]);
    return volumesOf(concatUpsampled(slicesOf(a), below), depth);
  });
}

/** Of volumes of an even number of slices every other one, from the first or the second on. */
function everyOther(slices: Tensor4D, from: number): Tensor4D {
  const [count, height, width, channels] = slices.shape;
  const size = height * width * channels;
  const pairs = tf.reshape<tf.Rank.R2>(slices, [count / 2, 2 * size]);
  return tf.reshape(sliceChannels(pairs, from * size, size), [count / 2, height, width, channels]);
}

/** Each slice, and once more: `[slices, 2·values]`. */
function twice(slices: Tensor4D): Tensor {
  const each = tf.reshape<tf.Rank.R2>(slices, [slices.shape[0], -1]);
  return concatChannels(each, each);
}

function slicesOf(volumes: Tensor): Tensor4D {
  const { n, depth, height, width, channels } = sizesOf(volumes);
  return tf.reshape(volumes, [n * depth, height, width, channels]);
}

function volumesOf(slices: Tensor4D, depth: number): Tensor4D {
  const [count, ...sizes] = slices.shape;
  return tf.reshape(slices, [count / depth, depth, ...sizes]) as Tensor as Tensor4D;
}

function sizesOf(volumes: Tensor) {
  const [n, depth, height, width, channels] = volumes.shape;
  if (volumes.rank !== 5) {
    throw new TypeError(explain({
      what: `[${volumes.shape}] is a batch neither of images nor of volumes`,
      fix: "give [batch, height, width, channels] or [batch, depth, height, width, channels]",
    }));
  }
  return { n, depth, height, width, channels };
}

function evenDepth(op: string, volumes: Tensor) {
  const sizes = sizesOf(volumes);
  if (sizes.depth % 2 !== 0) {
    misfit(`${op}: cannot halve ${sizes.depth} slices`, "pad or crop the volume to an even depth");
  }
  return sizes;
}

function misfit(what: string, fix: string): never {
  throw new RangeError(explain({ what, fix }));
}
