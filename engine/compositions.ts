/**
 * Our kernels as compositions of stock TensorFlow.js ops, for every backend that has no kernels of ours.
 *
 * They say what each kernel computes, plainly; on `cpu` they are what the kernels on `wasm` are held to. Speed comes second.
 */

import * as tf from "@tensorflow/tfjs-core";
import { kernel } from "./kernel_names.ts";
import type { ParallelLines } from "./lines.ts";
import { composedLineSums, composedSpread } from "./lines_composed.ts";

type Inputs = { [name: string]: tf.Tensor4D };
// deno-lint-ignore no-explicit-any -- attributes are whatever `ops.ts` gave, by name
type Attributes = { [name: string]: any };
type Composition = (inputs: Inputs, attributes: Attributes) => tf.Tensor | tf.Tensor[];

/** Registers every kernel of ours on the backend called `backendName`, once. */
export function registerCompositions(backendName: string): void {
  for (const [kernelName, compose] of Object.entries(compositions)) {
    if (tf.getKernel(kernelName, backendName) !== undefined) continue;
    tf.registerKernel({
      kernelName,
      backendName,
      // Inside a kernel the tape is off, so what is composed here is not differentiated through.
      kernelFunc: ({ inputs, attrs }) => tf.tidy(() => compose(inputs as Inputs, attrs as Attributes)),
    });
  }
}

function stock(name: string, inputs: tf.NamedTensorMap, attributes: tf.NamedAttrMap): tf.Tensor {
  return tf.engine().runKernel(name, inputs, attributes) as tf.Tensor;
}

/** The attributes of a stock stride-1 convolution. */
function stride1(padding: number): tf.NamedAttrMap {
  const pad = [[0, 0], [padding, padding], [padding, padding], [0, 0]];
  return { strides: 1, pad, dataFormat: "NHWC", dilations: 1 };
}

/** Means over the pixels, per sample and channel: `[n, 1, 1, c]`. */
function pixelMean(x: tf.Tensor): tf.Tensor {
  return tf.mean(x, [1, 2], true);
}

/** The sum of each channel, `[c]`. */
function channelSums(x: tf.Tensor): tf.Tensor {
  return tf.sum(tf.reshape(x, [-1, x.shape[x.rank - 1]]), 0);
}

/** y = N(x), and r = 1 / √(variance + epsilon). */
function normalised(x: tf.Tensor, statistics: tf.Tensor): { y: tf.Tensor; r: tf.Tensor } {
  const [n, , channels] = statistics.shape;
  const [mean, r] = tf.unstack(statistics, 1).map((values) => tf.reshape(values, [n, 1, 1, channels]));
  return { y: tf.mul(tf.sub(x, mean), r), r };
}

/** v where `where` is positive, slope·v elsewhere. */
function sloped(v: tf.Tensor, where: tf.Tensor, slope: number): tf.Tensor {
  return tf.where(tf.greater(where, 0), v, tf.mul(v, slope));
}

/** `[n, 2h, 2w, c]` as `[n, h, w, 4, c]`, the four pixels of each 2x2 block in reading order; exact shuffling only. */
function blocksOfFour(x: tf.Tensor4D): tf.Tensor {
  const [n, height, width, channels] = x.shape;
  const split = tf.reshape(x, [n * height / 2, 2, width / 2, 2, channels]);
  return tf.reshape(tf.transpose(split, [0, 2, 1, 3, 4]), [n, height / 2, width / 2, 4, channels]);
}

/** The inverse of {@linkcode blocksOfFour}. */
function imageOfFours(x: tf.Tensor, [n, height, width, channels]: readonly number[]): tf.Tensor4D {
  const split = tf.reshape(x, [n * height / 2, width / 2, 2, 2, channels]);
  return tf.reshape(tf.transpose(split, [0, 2, 1, 3, 4]), [n, height, width, channels]);
}

/** Each pixel as a 2x2 block. */
function filled(x: tf.Tensor4D): tf.Tensor4D {
  const [n, height, width, channels] = x.shape;
  const four = tf.tile(tf.reshape(x, [n * height * width, 1, channels]), [1, 4, 1]);
  return imageOfFours(four, [n, 2 * height, 2 * width, channels]);
}

/** `[steps·taps, depth]`: 1 where a tap of a step is this slice, 0 elsewhere. */
function slicesOfSteps({ depth, steps, taps, stride, padding }: Attributes): tf.Tensor2D {
  const places = tf.buffer<tf.Rank.R2>([steps * taps, depth]);
  for (let step = 0; step < steps; step++) {
    for (let tap = 0; tap < taps; tap++) {
      const slice = step * stride + tap - padding;
      if (slice >= 0 && slice < depth) places.set(1, step * taps + tap, slice);
    }
  }
  return places.toTensor();
}

/** The matrix times each volume, whose rows are its slices. */
function ofEachVolume(matrix: tf.Tensor, volumes: tf.Tensor, transposed: boolean): tf.Tensor {
  const all = tf.tile(tf.expandDims(matrix, 0), [volumes.shape[0], 1, 1]);
  return tf.matMul(all, volumes, transposed);
}

/** 1 at the first maximum of each 2x2 block, 0 elsewhere: `[n, h, w, 4, c]`. A later value must be larger to win. */
function firstMaximum(where: tf.Tensor4D): tf.Tensor {
  const [a, b, c, d] = tf.unstack(blocksOfFour(where), 3);
  const larger = (x: tf.Tensor, than: tf.Tensor) => tf.cast(tf.greater(x, than), "float32");
  const not = (mask: tf.Tensor) => tf.sub(1, mask);
  const [second, third] = [larger(b, a), larger(c, tf.maximum(a, b))];
  const fourth = larger(d, tf.maximum(tf.maximum(a, b), c));
  const late = tf.maximum(third, fourth);
  return tf.stack([
    tf.mul(not(second), not(late)),
    tf.mul(second, not(late)),
    tf.mul(third, not(fourth)),
    fourth,
  ], 3);
}

const compositions: { readonly [name: string]: Composition } = {
  [kernel.conv2d]: ({ x, filter }, { padding }) => stock("Conv2D", { x, filter }, stride1(padding)),

  [kernel.conv2dBackpropInput]: ({ gradient, filter }, { padding, height, width }) =>
    stock("Conv2DBackpropInput", { dy: gradient, filter }, {
      ...stride1(padding),
      inputShape: [gradient.shape[0], height, width, filter.shape[2]],
    }),

  // Stock wasm lacks the op. It is the convolution of x with the gradient as its filter, samples as channels.
  [kernel.conv2dBackpropFilter]: ({ x, gradient }, { padding, filterHeight, filterWidth }) =>
    tf.getKernel("Conv2DBackpropFilter", tf.getBackend()) === undefined
      ? tf.transpose(
        stock("Conv2D", {
          x: tf.transpose(x, [3, 1, 2, 0]),
          filter: tf.transpose(gradient, [1, 2, 0, 3]),
        }, stride1(padding)),
        [1, 2, 0, 3],
      )
      : stock("Conv2DBackpropFilter", { x, dy: gradient }, {
        ...stride1(padding),
        filterShape: [filterHeight, filterWidth, x.shape[3], gradient.shape[3]],
      }),

  [kernel.spaceToDepth]: ({ x }, { block, padding, height, width, rows, columns }) => {
    const [n, , , channels] = x.shape;
    const [tall, wide] = [rows * block, columns * block];
    const whole = tf.pad(x, [
      [0, 0],
      [padding, Math.max(0, tall - padding - height)],
      [padding, Math.max(0, wide - padding - width)],
      [0, 0],
    ]);
    const cut = tf.slice(whole, [0, 0, 0, 0], [n, tall, wide, channels]);
    const split = tf.reshape(cut, [n * rows, block, columns, block, channels]);
    return tf.reshape(tf.transpose(split, [0, 2, 1, 3, 4]), [n, rows, columns, block * block * channels]);
  },

  [kernel.depthToSpace]: ({ x }, { block, padding, height, width, rows, columns }) => {
    const [n, , , depth] = x.shape;
    const channels = depth / (block * block);
    const split = tf.reshape(x, [n * rows, columns, block, block, channels]);
    const whole = tf.reshape(tf.transpose(split, [0, 2, 1, 3, 4]), [
      n,
      rows * block,
      columns * block,
      channels,
    ]);
    const reaching = tf.pad(whole, [
      [0, 0],
      [0, Math.max(0, padding + height - rows * block)],
      [0, Math.max(0, padding + width - columns * block)],
      [0, 0],
    ]);
    return tf.slice(reaching, [0, padding, padding, 0], [n, height, width, channels]);
  },

  [kernel.stackSlices]: ({ x }, sizes) => {
    const { depth, steps, taps } = sizes;
    const [slices, height, width, channels] = x.shape;
    const n = slices / depth;
    const volumes = tf.reshape(x, [n, depth, height * width * channels]);
    const stacks = ofEachVolume(slicesOfSteps(sizes), volumes, false);
    const tapLast = tf.transpose(tf.reshape(stacks, [n * steps, taps, height * width, channels]), [
      0,
      2,
      1,
      3,
    ]);
    return tf.reshape(tapLast, [n * steps, height, width, taps * channels]);
  },
  [kernel.unstackSlices]: ({ x }, sizes) => {
    const { depth, steps, taps } = sizes;
    const [stacks, height, width, stacked] = x.shape;
    const [n, channels] = [stacks / steps, stacked / taps];
    const tapFirst = tf.transpose(tf.reshape(x, [stacks, height * width, taps, channels]), [0, 2, 1, 3]);
    const rows = tf.reshape(tapFirst, [n, steps * taps, height * width * channels]);
    const volumes = ofEachVolume(slicesOfSteps(sizes), rows, true);
    return tf.reshape(volumes, [n * depth, height, width, channels]);
  },

  [kernel.instanceNormStatistics]: ({ x }, { epsilon }) => {
    const [n, , , channels] = x.shape;
    // Sums of large numbers lose digits, which those of the differences give back.
    const rough = pixelMean(x);
    const mean = tf.add(rough, pixelMean(tf.sub(x, rough)));
    const r = tf.rsqrt(tf.add(pixelMean(tf.square(tf.sub(x, mean))), epsilon));
    return tf.reshape(tf.concat([mean, r], 1), [n, 2, channels]);
  },

  [kernel.instanceNorm]: ({ x, statistics }, { slope }) => {
    const { y } = normalised(x, statistics);
    return sloped(y, y, slope);
  },

  // With w = D′v: D″ r (w − mean w − y ⟨y, w⟩/M)
  [kernel.instanceNormGradient]: ({ x, statistics, v }, { inner, outer }) => {
    const { y, r } = normalised(x, statistics);
    const w = sloped(v, y, inner);
    const along = tf.mul(y, pixelMean(tf.mul(y, w)));
    return sloped(tf.mul(r, tf.sub(tf.sub(w, pixelMean(w)), along)), y, outer);
  },

  // −(r²/M) [v′Q + g′P + y (S − 3PQ/M)], with v′ = D′v and g′ = D″g centred, P = ⟨v′, y⟩, Q = ⟨g′, y⟩, S = ⟨v′, g′⟩ over
  // M pixels.
  // From dr/dx = −r²y/M and dy/dx = N'(x); it holds with epsilon as it stands. Here P, Q, S are means.
  [kernel.instanceNormCurvature]: ({ x, statistics, v, g }, { inner, outer }) => {
    const { y, r } = normalised(x, statistics);
    const [v0, g0] = [sloped(v, y, inner), sloped(g, y, outer)].map((w) => tf.sub(w, pixelMean(w)));
    const [P, Q, S] = [pixelMean(tf.mul(v0, y)), pixelMean(tf.mul(g0, y)), pixelMean(tf.mul(v0, g0))];
    const along = tf.mul(y, tf.sub(S, tf.mul(3, tf.mul(P, Q))));
    return tf.mul(tf.neg(tf.square(r)), tf.addN([tf.mul(v0, Q), tf.mul(g0, P), along]));
  },

  [kernel.leakyRelu]: ({ x }, { slope }) => sloped(x, x, slope),
  [kernel.leakyReluGradient]: ({ where, x }, { slope }) => sloped(x, where, slope),

  [kernel.within]: ({ where, x }, { low, high }) =>
    tf.where(tf.logicalAnd(tf.greaterEqual(where, low), tf.lessEqual(where, high)), x, tf.zerosLike(x)),
  [kernel.prelu]: ({ where, x, slope }, { positive }) =>
    tf.where(tf.greater(where, 0), tf.mul(x, positive), tf.mul(x, slope)),
  [kernel.preluSlopes]: ({ where, x, y }) =>
    channelSums(tf.where(tf.greater(where, 0), tf.zerosLike(x), tf.mul(x, y))),
  [kernel.addToChannels]: ({ x, bias }) => tf.add(x, bias),
  [kernel.channelSums]: ({ x }) => channelSums(x),

  [kernel.blockSum]: ({ x }, { scale, start, size }) => {
    const [n, height, width] = x.shape;
    const some = tf.slice(x, [0, 0, 0, start], [n, height, width, size]);
    return tf.mul(tf.sum(blocksOfFour(some), 3), scale);
  },
  [kernel.blockFill]: ({ x }, { scale }) => filled(tf.mul(x, scale) as tf.Tensor4D),

  [kernel.pickMaximum]: ({ where, x }) => tf.sum(tf.mul(firstMaximum(where), blocksOfFour(x)), 3),
  [kernel.placeMaximum]: ({ where, x }) =>
    imageOfFours(tf.mul(firstMaximum(where), tf.expandDims(x, 3)), where.shape),

  [kernel.concatUpsampled]: ({ a, b }) => tf.concat([a, filled(b)], 3),
  [kernel.concatChannels]: ({ a, b }) => tf.concat([a, b], a.rank - 1),
  [kernel.sliceChannels]: ({ x }, { start, size }) => {
    const begin = x.shape.map(() => 0);
    const extent: number[] = [...x.shape];
    begin[x.rank - 1] = start;
    extent[x.rank - 1] = size;
    return tf.slice(x as tf.Tensor, begin, extent);
  },
  [kernel.padChannels]: ({ x }, { start, size, channels }) => {
    const paddings = x.shape.map((): [number, number] => [0, 0]);
    paddings[x.rank - 1] = [start, channels - start - size];
    return tf.pad(x as tf.Tensor, paddings);
  },

  [kernel.l1]: ({ a, b }) => tf.mean(tf.abs(tf.sub(a, b))),
  [kernel.l1Gradient]: ({ a, b, gradient }) => tf.mul(tf.sign(tf.sub(a, b)), tf.div(gradient, a.size)),
  [kernel.l2]: ({ a, b }) => tf.mean(tf.square(tf.sub(a, b))),
  [kernel.l2Gradient]: ({ a, b, gradient }) => tf.mul(tf.sub(a, b), tf.mul(gradient, 2 / a.size)),

  [kernel.symmetricProduct]: ({ x, s }) => tf.matMul(x as tf.Tensor, s as tf.Tensor),

  [kernel.logProduct]: ({ x, y }) =>
    tf.logSumExp(tf.add(tf.expandDims(x as tf.Tensor, 2), tf.expandDims(y as tf.Tensor, 0)), 1),
  // A product with the matrix e^(−2πi kn / length), which is symmetric.
  [kernel.fourier]: ({ x }, { outer, length, inner, inverse }) => {
    const matrix = (part: (angle: number) => number) =>
      tf.tensor2d(
        // A whole number of turns less keeps the angle exact.
        Float32Array.from(
          { length: length * length },
          (_, i) => part(2 * Math.PI * (Math.floor(i / length) * (i % length) % length) / length),
        ),
        [length, length],
      );
    const [cosine, sine] = [matrix(Math.cos), matrix(inverse ? (angle) => -Math.sin(angle) : Math.sin)];
    const lines = tf.transpose(tf.reshape(x, [2, outer, length, inner]), [0, 1, 3, 2]);
    const [re, im] = tf.unstack(tf.reshape(lines, [2, outer * inner, length])) as tf.Tensor2D[];
    const sums = [
      tf.add(tf.matMul(re, cosine), tf.matMul(im, sine)),
      tf.sub(tf.matMul(im, cosine), tf.matMul(re, sine)),
    ];
    const frequencies = tf.reshape(tf.stack(sums), [2, outer, inner, length]);
    return tf.reshape(tf.transpose(frequencies, [0, 1, 3, 2]), x.shape);
  },

  [kernel.lineSums]: ({ x }, lines) => composedLineSums(x, lines as ParallelLines),
  [kernel.spreadAlongLines]: ({ y }, lines) => composedSpread(y, lines as ParallelLines),

  // Kingma & Ba 2015 (arXiv:1412.6980), algorithm 1; `pace` already carries the bias corrections (adam.ts).
  [kernel.adam]: ({ variable, gradient, first, second, pace }, { beta1, beta2 }) => {
    const [rate, epsilon] = [0, 1].map((which) => tf.reshape(tf.slice(pace as tf.Tensor, [which], [1]), []));
    const m = tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1));
    const v = tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    return [tf.sub(variable, tf.mul(rate, tf.div(m, tf.add(tf.sqrt(v), epsilon)))), m, v];
  },

  [kernel.assign]: ({ values }) => tf.clone(values),
};
