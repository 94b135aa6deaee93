/**
 * The operations that networks and losses are made of.
 *
 * **Mental model.** Every function here is an ordinary TensorFlow.js op: it runs one named kernel through
 * `tf.engine()`, so the tape, `tf.tidy`, `tf.grad` and `tf.memory` treat it like `tf.conv2d`. A kernel exists
 * twice: as calls into our own WebAssembly module (`wasm_kernels.ts`, backend `wasm`), and as a composition of stock ops
 * (`compositions.ts`, every other backend; `cpu` is the oracle of the tests). Gradients (`gradients.ts`)
 * are written once, in terms of these same ops, and close among themselves: each op but `logProduct` can be
 * differentiated twice, as a gradient penalty needs.
 *
 * Images are `[batch, height, width, channels]`, filters `[height, width, in, out]`, values float32. Arguments
 * are borrowed, results are the caller's. Shapes are checked, and a misfit is a worded error. On one arithmetic class
 * (`fma` or `muladd`) the same input gives the same bits: summation orders are fixed and there are no threads.
 *
 * **What it does not do.** It knows nothing of imaging, layers or weights, offers no dilation, groups, or
 * uneven padding, and does not replace elementwise ops, sums and activations that TensorFlow.js already has: those get
 * gradients that can be differentiated again from `stock_gradients.ts`, which this file registers too.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { kernel } from "./kernel_names.ts";
import { stopGradient } from "./stop_gradient.ts";
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from "./tensor.ts";
import "./gradients.ts";
import "./stock_gradients.ts";

export { stopGradient };

/** How a convolution moves over its image. */
export interface Convolution {
  /** Pixels between two outputs, in both directions; 1 unless said. */
  readonly stride?: number;
  /** Rows and columns of zeros on each of the four sides; 0 unless said. */
  readonly padding?: number;
}

/**
 * Cross-correlation of `x` `[n, h, w, c]` with `filter` `[kh, kw, c, k]` (what deep learning calls a convolution).
 *
 * @returns `[n, ⌊(h + 2·padding − kh) / stride⌋ + 1, ⌊(w + 2·padding − kw) / stride⌋ + 1, k]`
 * @throws {RangeError} where channels disagree or the padded image is smaller than the filter.
 */
export function conv2d(x: Tensor4D, filter: Tensor4D, options: Convolution = {}): Tensor4D {
  const { stride = 1, padding = 0 } = options;
  requireRank("conv2d", { x, filter }, 4);
  const [, height, width, channels] = x.shape;
  const [filterHeight, filterWidth, filterChannels, outputs] = filter.shape;
  requireWhole("conv2d", "stride", stride, 1);
  requireWhole("conv2d", "padding", padding, 0);
  if (channels !== filterChannels) {
    misfit(
      `conv2d: the image has ${channels} channels, the filter takes ${filterChannels}`,
      `give a filter [kh, kw, ${channels}, outputs]; x is [${x.shape}], filter [${filter.shape}]`,
    );
  }
  const rows = Math.floor((height + 2 * padding - filterHeight) / stride) + 1;
  const columns = Math.floor((width + 2 * padding - filterWidth) / stride) + 1;
  if (rows < 1 || columns < 1) {
    misfit(
      `conv2d: a ${filterHeight}x${filterWidth} filter does not fit a ${height}x${width} image with padding ${padding}`,
      "use a larger image, more padding or fewer strided layers",
    );
  }
  if (stride === 1) return run(kernel.conv2d, { x, filter }, { padding });

  // A strided convolution is exactly a stride-1 convolution of the image's stride x stride blocks, whose pixels
  // become channels, with the filter cut into the same blocks. So kernels only need stride 1.
  return tf.tidy(() => {
    const blockRows = Math.ceil(filterHeight / stride);
    const blockColumns = Math.ceil(filterWidth / stride);
    const blocks = run<Tensor4D>(kernel.spaceToDepth, { x }, {
      block: stride,
      padding,
      height,
      width,
      rows: rows + blockRows - 1,
      columns: columns + blockColumns - 1,
    });
    const filterAsImage = tf.reshape<tf.Rank.R4>(filter, [1, filterHeight, filterWidth, channels * outputs]);
    const filterBlocks = run<Tensor4D>(kernel.spaceToDepth, { x: filterAsImage }, {
      block: stride,
      padding: 0,
      height: filterHeight,
      width: filterWidth,
      rows: blockRows,
      columns: blockColumns,
    });
    const blockFilter = tf.reshape<tf.Rank.R4>(filterBlocks, [
      blockRows,
      blockColumns,
      stride * stride * channels,
      outputs,
    ]);
    return run<Tensor4D>(kernel.conv2d, { x: blocks, filter: blockFilter }, { padding: 0 });
  });
}

/**
 * The adjoint of `x ↦ conv2d(x, filter, { padding })` at stride 1 (a "transposed convolution").
 *
 * @param gradient `[n, h', w', k]`, like the convolution's output
 * @param inputSize `[h, w]` of the convolution's input, which `gradient` must agree with
 * @returns `[n, h, w, c]`
 */
export function conv2dBackpropInput(
  gradient: Tensor4D,
  filter: Tensor4D,
  inputSize: readonly [number, number],
  options: { readonly padding?: number } = {},
): Tensor4D {
  const { padding = 0 } = options;
  requireRank("conv2dBackpropInput", { gradient, filter }, 4);
  requireWhole("conv2dBackpropInput", "padding", padding, 0);
  const [height, width] = inputSize;
  requireConvolved("conv2dBackpropInput", gradient.shape, [height, width], filter.shape, padding);
  if (gradient.shape[3] !== filter.shape[3]) {
    misfit(
      `conv2dBackpropInput: the gradient has ${gradient.shape[3]} channels, the filter makes ${
        filter.shape[3]
      }`,
      "give the gradient of this filter's own output",
    );
  }
  return run(kernel.conv2dBackpropInput, { gradient, filter }, { padding, height, width });
}

/**
 * The adjoint of `filter ↦ conv2d(x, filter, { padding })` at stride 1, summed over the batch.
 *
 * @param x `[n, h, w, c]`
 * @param gradient `[n, h', w', k]`, like the convolution's output
 * @param filterSize `[kh, kw]`, which the two must agree with
 * @returns `[kh, kw, c, k]`
 */
export function conv2dBackpropFilter(
  x: Tensor4D,
  gradient: Tensor4D,
  filterSize: readonly [number, number],
  options: { readonly padding?: number } = {},
): Tensor4D {
  const { padding = 0 } = options;
  requireRank("conv2dBackpropFilter", { x, gradient }, 4);
  requireWhole("conv2dBackpropFilter", "padding", padding, 0);
  const [filterHeight, filterWidth] = filterSize;
  requireConvolved("conv2dBackpropFilter", gradient.shape, [x.shape[1], x.shape[2]], filterSize, padding);
  if (gradient.shape[0] !== x.shape[0]) {
    misfit(
      `conv2dBackpropFilter: ${x.shape[0]} images, ${gradient.shape[0]} gradients`,
      "give one gradient an image",
    );
  }
  return run(kernel.conv2dBackpropFilter, { x, gradient }, { padding, filterHeight, filterWidth });
}

/** What an instance normalisation does besides. */
export interface Normalisation {
  /** What is added to the variance; 1e-5 unless said. */
  readonly epsilon?: number;
  /** The slope of a leaky ReLU that follows, at less cost than as an op of its own; 1, which is none, unless said. */
  readonly slope?: number;
}

/**
 * Instance normalisation without scale and shift (Ulyanov, Vedaldi & Lempitsky 2016, arXiv:1607.08022): of each
 * sample and channel, (x − mean) / √(variance + epsilon), the variance being the population's over the pixels.
 *
 * @param x `[n, h, w, c]`; the result has its shape.
 */
export function instanceNorm(x: Tensor4D, { epsilon = 1e-5, slope = 1 }: Normalisation = {}): Tensor4D {
  requireRank("instanceNorm", { x }, 4);
  return tf.tidy(() => {
    const statistics = run(kernel.instanceNormStatistics, { x: stopGradient(x) }, { epsilon });
    return run<Tensor4D>(kernel.instanceNorm, { x, statistics }, { slope });
  });
}

/** x where it is positive, `slope`·x elsewhere; of any shape. The derivative at 0 is `slope`. */
export function leakyRelu<T extends Tensor>(x: T, slope = 0.2): T {
  return run(kernel.leakyRelu, { x }, { slope });
}

/** max(x, 0), of any shape. The derivative at 0 is 0. */
export function relu<T extends Tensor>(x: T): T {
  return leakyRelu(x, 0);
}

/**
 * max(x, 0), whose derivative where x is negative is nevertheless `slope`: not that of the function, but one by which
 * what has fallen below 0 is drawn back. Of any shape.
 */
export function leakyClamp<T extends Tensor>(x: T, slope: number): T {
  return tf.tidy(() => {
    const leaky = leakyRelu(x, slope);
    return tf.add(leaky, stopGradient(tf.sub(relu(x), leaky)));
  });
}

/**
 * x where it is positive, the slope of its channel times x elsewhere (He et al. 2015, arXiv:1502.01852): `[…, c]` with
 * slopes `[c]`. The derivative in x at 0 is the slope.
 */
export function prelu<T extends Tensor>(x: T, slope: Tensor1D): T {
  requireChannels("prelu", x, slope);
  return tf.tidy(() => run<T>(kernel.prelu, { where: stopGradient(x), x, slope }, { positive: 1 }));
}

/** `x` `[…, c]` plus the bias of its channel, `[c]`. */
export function addToChannels<T extends Tensor>(x: T, bias: Tensor1D): T {
  requireChannels("addToChannels", x, bias);
  return run(kernel.addToChannels, { x, bias });
}

/** The mean of each 2x2 block: `[n, h, w, c]` with even h and w to `[n, h/2, w/2, c]`. */
export function averagePool2(x: Tensor4D): Tensor4D {
  requireEven("averagePool2", x);
  const channels = x.shape[3];
  return run(kernel.blockSum, { x }, { scale: 0.25, start: 0, size: channels, channels });
}

/**
 * The maximum of each 2x2 block: `[n, h, w, c]` with even h and w to `[n, h/2, w/2, c]`. Of equal values the
 * first in reading order takes the gradient.
 */
export function maxPool2(x: Tensor4D): Tensor4D {
  requireEven("maxPool2", x);
  return tf.tidy(() => run<Tensor4D>(kernel.pickMaximum, { where: stopGradient(x), x }));
}

/** Each pixel as a 2x2 block (nearest neighbour): `[n, h, w, c]` to `[n, 2h, 2w, c]`. */
export function upsample2(x: Tensor4D): Tensor4D {
  requireRank("upsample2", { x }, 4);
  return run(kernel.blockFill, { x }, { scale: 1 });
}

/** The channels of `a` followed by those of `b`: `[…, c]` and `[…, d]` to `[…, c + d]`. */
export function concatChannels<T extends Tensor>(a: T, b: T): T {
  if (
    a.rank < 1 || a.rank !== b.rank || a.shape.slice(0, -1).some((extent, axis) => extent !== b.shape[axis])
  ) {
    misfit(
      `concatChannels: [${a.shape}] and [${b.shape}] differ in more than their channels`,
      "give both the same batch, height and width",
    );
  }
  return run(kernel.concatChannels, { a, b }, { first: a.shape[a.rank - 1], second: b.shape[b.rank - 1] });
}

/**
 * `concatChannels(a, upsample2(b))` in one pass over memory, as a U-Net's way up needs it: `[n, 2h, 2w, c]` and
 * `[n, h, w, d]` to `[n, 2h, 2w, c + d]`.
 */
export function concatUpsampled(a: Tensor4D, b: Tensor4D): Tensor4D {
  requireRank("concatUpsampled", { a, b }, 4);
  const [n, height, width, second] = b.shape;
  if (a.shape[0] !== n || a.shape[1] !== 2 * height || a.shape[2] !== 2 * width) {
    misfit(
      `concatUpsampled: [${a.shape}] is not twice as high and wide as [${b.shape}]`,
      `give [${n}, ${2 * height}, ${2 * width}, channels] and [${b.shape}]`,
    );
  }
  return run(kernel.concatUpsampled, { a, b }, { first: a.shape[3], second });
}

/** `size` channels from `start` on: `[…, c]` to `[…, size]`. */
export function sliceChannels<T extends Tensor>(x: T, start: number, size: number): T {
  requireWhole("sliceChannels", "start", start, 0);
  requireWhole("sliceChannels", "size", size, 1);
  const channels = x.shape[x.rank - 1];
  if (x.rank < 1 || start + size > channels) {
    misfit(
      `sliceChannels: no channels ${start} to ${start + size - 1} in [${x.shape}]`,
      "stay within its last axis",
    );
  }
  return run(kernel.sliceChannels, { x }, { start, size, channels });
}

/** mean |a − b|, a scalar; its derivative where a = b is 0. */
export function l1(a: Tensor, b: Tensor): Scalar {
  requireSameShape("l1", a, b);
  return run(kernel.l1, { a, b });
}

/** mean (a − b)², a scalar. */
export function l2(a: Tensor, b: Tensor): Scalar {
  requireSameShape("l2", a, b);
  return run(kernel.l2, { a, b });
}

/**
 * `x` `[m, n]` times the symmetric matrix `s` `[n, n]`. `s` is a constant: no gradient flows to it, and the
 * gradient of `x` is the same product. That `s` is symmetric is the caller's word.
 */
export function symmetricProduct(x: Tensor2D, s: Tensor2D): Tensor2D {
  requireRank("symmetricProduct", { x, s }, 2);
  if (s.shape[0] !== s.shape[1] || x.shape[1] !== s.shape[0]) {
    misfit(`symmetricProduct: [${x.shape}] times [${s.shape}]`, "give [m, n] and a symmetric [n, n]");
  }
  return tf.tidy(() => run<Tensor2D>(kernel.symmetricProduct, { x, s: stopGradient(s) }));
}

/**
 * The product of two matrices that are given by their logarithms, as its logarithm: `x` `[m, k]` and `y` `[k, n]` to
 * ln(eˣ·eʸ) `[m, n]`. No value is too large or too small for it; terms below 1.5e-8 of the largest count as none. It
 * has no gradient: stop it at what it is given.
 */
export function logProduct(x: Tensor2D, y: Tensor2D): Tensor2D {
  requireRank("logProduct", { x, y }, 2);
  if (x.shape[1] !== y.shape[0]) {
    misfit(`logProduct: [${x.shape}] times [${y.shape}]`, "give [m, k] and [k, n]");
  }
  return run(kernel.logProduct, { x, y });
}

function run<T extends Tensor>(name: string, inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap = {}): T {
  return tf.engine().runKernel(name, inputs, attrs) as T;
}

function misfit(what: string, fix: string): never {
  throw new RangeError(explain({ what, fix }));
}

function requireRank(op: string, tensors: tf.NamedTensorMap, rank: number): void {
  for (const [name, tensor] of Object.entries(tensors)) {
    if (tensor.rank !== rank || tensor.dtype !== "float32") {
      throw new TypeError(explain({
        what:
          `${op}: ${name} is a ${tensor.dtype} tensor [${tensor.shape}], not a float32 tensor of rank ${rank}`,
        fix: rank === 4 ? "give [batch, height, width, channels]" : "reshape it, or cast it to float32",
      }));
    }
  }
}

function requireChannels(op: string, x: Tensor, ofChannels: Tensor1D): void {
  if (x.rank < 1 || ofChannels.rank !== 1 || x.shape[x.rank - 1] !== ofChannels.shape[0]) {
    misfit(`${op}: [${ofChannels.shape}] for the channels of [${x.shape}]`, "give one number a channel");
  }
}

function requireWhole(op: string, name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    misfit(`${op}: ${name} is ${value}`, `give a whole number of at least ${least}`);
  }
}

function requireEven(op: string, x: Tensor4D): void {
  requireRank(op, { x }, 4);
  if (x.shape[1] % 2 !== 0 || x.shape[2] % 2 !== 0) {
    misfit(
      `${op}: cannot halve an image of ${x.shape[1]}x${x.shape[2]}`,
      "pad or crop it to even height and width",
    );
  }
}

function requireSameShape(op: string, a: Tensor, b: Tensor): void {
  if (a.rank !== b.rank || a.shape.some((extent, axis) => extent !== b.shape[axis])) {
    misfit(`${op}: [${a.shape}] and [${b.shape}] are not of one shape`, "compare tensors of the same shape");
  }
}

function requireConvolved(
  op: string,
  output: readonly number[],
  [height, width]: readonly [number, number],
  filter: readonly number[],
  padding: number,
): void {
  const rows = height + 2 * padding - filter[0] + 1;
  const columns = width + 2 * padding - filter[1] + 1;
  if (output[1] !== rows || output[2] !== columns) {
    misfit(
      `${op}: a ${height}x${width} image under a ${filter[0]}x${
        filter[1]
      } filter with padding ${padding} gives ` +
        `${rows}x${columns}, not ${output[1]}x${output[2]}`,
      "give the sizes of one and the same convolution",
    );
  }
}
