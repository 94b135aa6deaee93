/**
 * The gradients of our kernels, in terms of our kernels.
 *
 * Nearly every op is linear or bilinear in what gradients flow through, so its gradient is its adjoint and the
 * family closes: convolution, its two adjoints; block sums and fills; slices and pads. What only decides *where*
 * (the sign of a leaky ReLU's input, the place of a maximum) enters as a constant, `stopGradient`ed, because its derivative is zero
 * almost everywhere: passing zeros on instead would cost a backward pass of zeros.
 *
 * Attributes carry every size that a gradient needs, so that no tensor is kept alive for its shape's sake.
 * Registered gradients are lazy: an input's gradient is only computed where somebody asks for it.
 */

import * as tf from "@tensorflow/tfjs-core";
import { kernel } from "./kernel_names.ts";
import { stopGradient } from "./stop_gradient.ts";

type Attributes = tf.NamedAttrMap;
/** What was saved of the inputs; the kernels that are not for images do not read more than two axes of a shape. */
type Saved = tf.Tensor4D[];

function run(name: string, inputs: tf.NamedTensorMap, attrs: Attributes = {}): tf.Tensor {
  return tf.engine().runKernel(name, inputs, attrs) as tf.Tensor;
}

function register(
  kernelName: string,
  inputsToSave: string[],
  gradient: (upstream: tf.Tensor, saved: Saved, attrs: Attributes) => { [input: string]: () => tf.Tensor },
): void {
  tf.registerGradient({
    kernelName,
    inputsToSave,
    gradFunc: (upstream, saved, attrs) => gradient(upstream as tf.Tensor, saved as Saved, attrs),
  });
}

register(kernel.conv2d, ["x", "filter"], (g, [x, filter], { padding }) => ({
  x: () =>
    run(kernel.conv2dBackpropInput, { gradient: g, filter }, {
      padding,
      height: x.shape[1],
      width: x.shape[2],
    }),
  filter: () =>
    run(kernel.conv2dBackpropFilter, { x, gradient: g }, {
      padding,
      filterHeight: filter.shape[0],
      filterWidth: filter.shape[1],
    }),
}));

register(kernel.conv2dBackpropInput, ["gradient", "filter"], (g, [gradient, filter], { padding }) => ({
  gradient: () => run(kernel.conv2d, { x: g, filter }, { padding }),
  filter: () =>
    run(kernel.conv2dBackpropFilter, { x: g, gradient }, {
      padding,
      filterHeight: filter.shape[0],
      filterWidth: filter.shape[1],
    }),
}));

register(kernel.conv2dBackpropFilter, ["x", "gradient"], (g, [x, gradient], { padding }) => ({
  x: () =>
    run(kernel.conv2dBackpropInput, { gradient, filter: g }, {
      padding,
      height: x.shape[1],
      width: x.shape[2],
    }),
  gradient: () => run(kernel.conv2d, { x, filter: g }, { padding }),
}));

register(
  kernel.spaceToDepth,
  [],
  (g, _saved, sizes) => ({ x: () => run(kernel.depthToSpace, { x: g }, sizes) }),
);
register(
  kernel.depthToSpace,
  [],
  (g, _saved, sizes) => ({ x: () => run(kernel.spaceToDepth, { x: g }, sizes) }),
);

register(
  kernel.stackSlices,
  [],
  (g, _saved, sizes) => ({ x: () => run(kernel.unstackSlices, { x: g }, sizes) }),
);
register(
  kernel.unstackSlices,
  [],
  (g, _saved, sizes) => ({ x: () => run(kernel.stackSlices, { x: g }, sizes) }),
);

// The statistics arrive as a constant, though they are x's: what is registered is the whole derivative in x.
register(kernel.instanceNorm, ["x", "statistics"], (g, [x, statistics], { slope }) => ({
  x: () => run(kernel.instanceNormGradient, { x, statistics, v: g }, { inner: slope, outer: 1 }),
}));

// N'(x) is symmetric: with y = N(x) and r = 1/std it is r·(centring − y yᵀ/M). `instanceNormCurvature` has no gradient:
// a third derivative is an error of TensorFlow.js that names it.
register(
  kernel.instanceNormGradient,
  ["x", "statistics", "v"],
  (g, [x, statistics, v], { inner, outer }) => ({
    x: () => run(kernel.instanceNormCurvature, { x, statistics, v, g }, { inner, outer }),
    v: () => run(kernel.instanceNormGradient, { x, statistics, v: g }, { inner: outer, outer: inner }),
  }),
);

register(kernel.leakyRelu, ["x"], (g, [x], { slope }) => ({
  x: () => run(kernel.leakyReluGradient, { where: stopGradient(x), x: g }, { slope }),
}));

register(kernel.leakyReluGradient, ["where"], (g, [where], { slope }) => ({
  x: () => run(kernel.leakyReluGradient, { where, x: g }, { slope }),
}));

register(kernel.within, ["where"], (g, [where], limits) => ({
  x: () => run(kernel.within, { where, x: g }, limits),
}));

// Apart from `where`, which decides, linear in x and in the slopes.
register(kernel.prelu, ["where", "x", "slope"], (g, [where, x, slope], { positive }) => ({
  x: () => run(kernel.prelu, { where, x: g, slope }, { positive }),
  slope: () => run(kernel.preluSlopes, { where, x, y: g }),
}));

register(kernel.preluSlopes, ["where", "x", "y"], (g, [where, x, y]) => ({
  x: () => run(kernel.prelu, { where, x: y, slope: g }, { positive: 0 }),
  y: () => run(kernel.prelu, { where, x, slope: g }, { positive: 0 }),
}));

register(kernel.addToChannels, [], (g) => ({
  x: () => tf.clone(g),
  bias: () => run(kernel.channelSums, { x: g }),
}));

register(kernel.channelSums, ["x"], (g, [x]) => ({
  x: () => run(kernel.addToChannels, { x: tf.zeros(x.shape), bias: g }),
}));

register(kernel.blockSum, [], (g, _saved, { scale, start, size, channels }) => ({
  x: () => {
    const blocks = run(kernel.blockFill, { x: g }, { scale });
    return size === channels ? blocks : run(kernel.padChannels, { x: blocks }, { start, size, channels });
  },
}));
register(kernel.blockFill, [], (g, _saved, { scale }) => {
  const channels = g.shape[3]!;
  return { x: () => run(kernel.blockSum, { x: g }, { scale, start: 0, size: channels, channels }) };
});

register(kernel.pickMaximum, ["where"], (g, [where]) => ({
  x: () => run(kernel.placeMaximum, { where, x: g }),
}));
register(kernel.placeMaximum, ["where"], (g, [where]) => ({
  x: () => run(kernel.pickMaximum, { where, x: g }),
}));

register(
  kernel.lineSums,
  [],
  (g, _saved, lines) => ({ x: () => run(kernel.spreadAlongLines, { y: g }, lines) }),
);
register(
  kernel.spreadAlongLines,
  [],
  (g, _saved, lines) => ({ y: () => run(kernel.lineSums, { x: g }, lines) }),
);

// As a linear map of pairs of real numbers the transform has its conjugate as adjoint, which is the other direction.
register(kernel.fourier, [], (g, _saved, attrs) => ({
  x: () => run(kernel.fourier, { x: g }, { ...attrs, inverse: 1 - (attrs.inverse as number) }),
}));

register(kernel.concatUpsampled, [], (g, _saved, { first, second }) => {
  const channels = (first as number) + (second as number);
  return {
    a: () => run(kernel.sliceChannels, { x: g }, { start: 0, size: first, channels }),
    b: () => run(kernel.blockSum, { x: g }, { scale: 1, start: first, size: second, channels }),
  };
});

register(kernel.concatChannels, [], (g, _saved, { first, second }) => {
  const channels = (first as number) + (second as number);
  return {
    a: () => run(kernel.sliceChannels, { x: g }, { start: 0, size: first, channels }),
    b: () => run(kernel.sliceChannels, { x: g }, { start: first, size: second, channels }),
  };
});

register(
  kernel.sliceChannels,
  [],
  (g, _saved, sizes) => ({ x: () => run(kernel.padChannels, { x: g }, sizes) }),
);
register(
  kernel.padChannels,
  [],
  (g, _saved, sizes) => ({ x: () => run(kernel.sliceChannels, { x: g }, sizes) }),
);

register(kernel.l1, ["a", "b"], (g, saved) => {
  const [a, b] = saved.map(stopGradient);
  return {
    a: () => run(kernel.l1Gradient, { a, b, gradient: g }),
    b: () => run(kernel.l1Gradient, { a: b, b: a, gradient: g }),
  };
});

// Its inputs a and b arrive as constants, so this is linear in `gradient` alone.
register(kernel.l1Gradient, ["a", "b"], (g, [a, b]) => ({
  gradient: () => tf.sum(tf.mul(g, run(kernel.l1Gradient, { a, b, gradient: tf.scalar(1) }))),
}));

register(kernel.l2, ["a", "b"], (g, [a, b]) => ({
  a: () => run(kernel.l2Gradient, { a, b, gradient: g }),
  b: () => run(kernel.l2Gradient, { a: b, b: a, gradient: g }),
}));

register(kernel.l2Gradient, ["a", "b", "gradient"], (g, [a, b, gradient]) => {
  const slope = () => tf.mul(g, tf.mul(gradient, 2 / a.size));
  return {
    a: slope,
    b: () => tf.neg(slope()),
    gradient: () => tf.mul(tf.sum(tf.mul(g, tf.sub(a, b))), 2 / a.size),
  };
});

// s arrives as a constant and is symmetric, so the product is its own adjoint.
register(kernel.symmetricProduct, ["s"], (g, [s]) => ({
  x: () => run(kernel.symmetricProduct, { x: g, s }),
}));
