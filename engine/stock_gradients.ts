/**
 * Gradients of the stock TensorFlow.js ops that losses, networks and operators may use beside those of `ops.ts`.
 *
 * Why our own: the npm package of the core registers none under Deno (its register of gradients is an ES module
 * whose imports Deno cannot resolve, and the union package costs tens of megabytes in every worker). And several of the originals
 * save their *output* for the backward pass, which cuts the tape: their second derivative is silently wrong (tanh) or throws. These save
 * inputs only and are made of ops in this same table, so every one of them can be differentiated again and again.
 *
 * What only decides where (signs, comparisons, places of maxima) is a constant; see `gradients.ts`. An op that is not in the
 * table is an error of TensorFlow.js that names it, at the first backward pass.
 */

import * as tf from "@tensorflow/tfjs-core";
import { kernel } from "./kernel_names.ts";
import { stopGradient } from "./stop_gradient.ts";

// deno-lint-ignore no-explicit-any -- the attributes that the stock ops give their kernels
type Attributes = any;
type Gradients = { [input: string]: () => tf.Tensor };

const own: tf.GradConfig[] = [];

/**
 * Runs what loads another copy of TensorFlow.js, which shares the registry of gradients and puts its own into it, and
 * leaves the registry as it was: what has no gradient on one backend has none on the others.
 */
export function keepingGradients<Loaded>(load: () => Loaded): Loaded {
  const has = (name: string) => tf.getGradient(name) !== undefined;
  const kernels = Object.values(tf).filter((name) => typeof name === "string");
  const without = kernels.filter((name) => !has(name));
  const loaded = load();
  for (const name of without.filter(has)) tf.unregisterGradient(name);
  own.forEach(tf.registerGradient);
  return loaded;
}

/** Registers the gradient of a kernel with `inputs`, all of which are saved; `differentiate` takes the output's gradient first. */
function register(
  kernelName: string,
  inputs: string[],
  differentiate: (g: tf.Tensor, inputs: tf.Tensor[], attributes: Attributes) => Gradients,
): void {
  add({
    kernelName,
    inputsToSave: inputs,
    gradFunc: (g, saved, attributes) => differentiate(g as tf.Tensor, saved, attributes),
  });
}

function add(gradient: tf.GradConfig): void {
  own.push(gradient);
  tf.registerGradient(gradient);
}

/** A function of one value: its derivative, in terms of x. */
function pointwise(
  kernelName: string,
  derivative: (x: tf.Tensor, attributes: Attributes) => tf.Tensor,
): void {
  register(kernelName, ["x"], (g, [x], attributes) => ({ x: () => tf.mul(g, derivative(x, attributes)) }));
}

/** An op that only moves values: its adjoint, knowing the input's shape. */
function rearranging(
  kernelName: string,
  adjoint: (g: tf.Tensor, x: tf.Tensor, attributes: Attributes) => tf.Tensor,
) {
  register(kernelName, ["x"], (g, [x], attributes) => ({ x: () => adjoint(g, x, attributes) }));
}

/** The sum of a broadcast result's gradient over what was broadcast, back to `like`'s shape. */
function unbroadcast(g: tf.Tensor, like: tf.Tensor): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(like.shape, g.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(g, axes) : g, like.shape);
}

/** 1 where the condition holds, 0 elsewhere; a constant. */
function where(condition: tf.Tensor): tf.Tensor {
  return tf.cast(condition, "float32");
}

// Arithmetic.

register("Add", ["a", "b"], (g, [a, b]) => ({ a: () => unbroadcast(g, a), b: () => unbroadcast(g, b) }));
register(
  "Sub",
  ["a", "b"],
  (g, [a, b]) => ({ a: () => unbroadcast(g, a), b: () => unbroadcast(tf.neg(g), b) }),
);
register("Multiply", ["a", "b"], (g, [a, b]) => ({
  a: () => unbroadcast(tf.mul(g, b), a),
  b: () => unbroadcast(tf.mul(g, a), b),
}));
register("RealDiv", ["a", "b"], (g, [a, b]) => ({
  a: () => unbroadcast(tf.div(g, b), a),
  b: () => unbroadcast(tf.neg(tf.div(tf.mul(g, a), tf.square(b))), b),
}));
register("SquaredDifference", ["a", "b"], (g, [a, b]) => {
  const slope = () => tf.mul(g, tf.mul(tf.sub(a, b), 2));
  return { a: () => unbroadcast(slope(), a), b: () => unbroadcast(tf.neg(slope()), b) };
});
register("Pow", ["a", "b"], (g, [a, b]) => ({
  a: () => unbroadcast(tf.mul(g, tf.mul(b, tf.pow(a, tf.sub(b, 1)))), a),
  b: () => unbroadcast(tf.mul(g, tf.mul(tf.log(a), tf.pow(a, b))), b),
}));
// Of equal values the first takes the gradient.
register("Maximum", ["a", "b"], (g, [a, b]) => {
  const first = where(tf.greaterEqual(stopGradient(a), stopGradient(b)));
  return { a: () => unbroadcast(tf.mul(g, first), a), b: () => unbroadcast(tf.mul(g, tf.sub(1, first)), b) };
});
register("Minimum", ["a", "b"], (g, [a, b]) => {
  const first = where(tf.lessEqual(stopGradient(a), stopGradient(b)));
  return { a: () => unbroadcast(tf.mul(g, first), a), b: () => unbroadcast(tf.mul(g, tf.sub(1, first)), b) };
});
register("Select", ["condition"], (g, [condition]) => ({
  t: () => tf.mul(g, where(condition)),
  e: () => tf.mul(g, tf.sub(1, where(condition))),
  condition: () => tf.zeros(condition.shape),
}));
// Functions of one value.

pointwise("Neg", (x) => tf.fill(x.shape, -1));
pointwise("Square", (x) => tf.mul(x, 2));
pointwise("Sqrt", (x) => tf.div(0.5, tf.sqrt(x)));
pointwise("Rsqrt", (x) => tf.div(-0.5, tf.mul(x, tf.sqrt(x))));
pointwise("Reciprocal", (x) => tf.neg(tf.reciprocal(tf.square(x))));
pointwise("Exp", (x) => tf.exp(x));
pointwise("Log", (x) => tf.reciprocal(x));
pointwise("Log1p", (x) => tf.reciprocal(tf.add(x, 1)));
pointwise("Sin", (x) => tf.cos(x));
pointwise("Cos", (x) => tf.neg(tf.sin(x)));
pointwise("Tanh", (x) => tf.sub(1, tf.square(tf.tanh(x))));
pointwise("Sigmoid", (x) => tf.mul(tf.sigmoid(x), tf.sub(1, tf.sigmoid(x))));
pointwise("Softplus", (x) => tf.sigmoid(x));
pointwise("Abs", (x) => tf.sign(stopGradient(x)));
pointwise("Relu", (x) => where(tf.greater(stopGradient(x), 0)));
// Comparisons compute in JavaScript on `wasm`; this one can be replayed.
register("ClipByValue", ["x"], (g, [x], { clipValueMin, clipValueMax }) => ({
  x: () =>
    tf.engine().runKernel(kernel.within, { where: stopGradient(x), x: g }, {
      low: clipValueMin,
      high: clipValueMax,
    }),
}));

// Steps, constants and comparisons: flat almost everywhere.

for (const kernelName of ["Sign", "Step", "Floor", "Ceil", "Round", "OnesLike", "ZerosLike"]) {
  register(kernelName, [], (g) => ({ x: () => tf.zerosLike(g) }));
}
for (const kernelName of ["Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual"]) {
  register(
    kernelName,
    ["a", "b"],
    (_g, [a, b]) => ({ a: () => tf.zeros(a.shape), b: () => tf.zeros(b.shape) }),
  );
}

// Sums, means and maxima over axes.

/** A reduced tensor with its reduced axes back, of length 1. */
function withAxes(reduced: tf.Tensor, shape: readonly number[], axis: number | readonly number[]): tf.Tensor {
  const axes = tf.util.parseAxisParam(axis as number[], [...shape]);
  return tf.reshape(reduced, shape.map((extent, index) => axes.includes(index) ? 1 : extent));
}

register("Sum", ["x"], (g, [x], { axis }) => ({
  x: () => tf.mul(withAxes(g, x.shape, axis), tf.onesLike(stopGradient(x))),
}));
register("Mean", ["x"], (g, [x], { axis }) => ({
  x: () => tf.mul(withAxes(g, x.shape, axis), tf.fill(x.shape, g.size / x.size)),
}));
// All places that hold the maximum take the whole gradient, as in TensorFlow.js.
register("Max", ["x"], (g, [x], { reductionIndices }) => ({
  x: () => {
    const value = stopGradient(x);
    const place = where(
      tf.equal(value, withAxes(tf.max(value, reductionIndices), x.shape, reductionIndices)),
    );
    return tf.mul(withAxes(g, x.shape, reductionIndices), place);
  },
}));
register("Softmax", ["logits"], (g, [logits], { dim }) => ({
  logits: () => {
    const weights = tf.mul(g, tf.softmax(logits, dim));
    return tf.sub(weights, tf.mul(tf.sum(weights, dim, true), tf.softmax(logits, dim)));
  },
}));

// Matrix products, of matrices or of equal batches of them.

register("BatchMatMul", ["a", "b"], (g, [a, b], { transposeA, transposeB }) => ({
  a: () => transposeA ? tf.matMul(b, g, transposeB, true) : tf.matMul(g, b, false, !transposeB),
  b: () => transposeB ? tf.matMul(g, a, true, transposeA) : tf.matMul(a, g, !transposeA, false),
}));

// Moving values about.

rearranging("Identity", (g) => tf.clone(g));
rearranging("Cast", (g) => tf.clone(g));
rearranging("Reshape", (g, x) => tf.reshape(g, x.shape));
register("ExpandDims", ["input"], (g, [input]) => ({ input: () => tf.reshape(g, input.shape) }));
rearranging("Transpose", (g, _x, { perm }) => tf.transpose(g, tf.backend_util.getUndoAxesPermutation(perm)));
rearranging("Reverse", (g, _x, { dims }) => tf.reverse(g, dims));
rearranging("Slice", (g, x, { begin, size }) => {
  const [starts, extents] = tf.slice_util.parseSliceParams(x, begin, size);
  return tf.pad(g, x.shape.map((extent, axis) => [starts[axis], extent - starts[axis] - extents[axis]]));
});
rearranging(
  "PadV2",
  (g, x, { paddings }) => tf.slice(g, paddings.map(([before]: [number]) => before), x.shape),
);
rearranging("Tile", (g, x, { reps }) => {
  const split = x.shape.flatMap((extent, axis) => [reps[axis] as number, extent]);
  return tf.sum(tf.reshape(g, split), x.shape.map((_, axis) => 2 * axis));
});

/** An op of a list of tensors: the gradient of each, from its index on the list. */
function listed(
  kernelName: string,
  gradients: (g: tf.Tensor, list: tf.Tensor[], attributes: Attributes) => tf.Tensor[],
) {
  add({
    kernelName,
    saveAllInputs: true,
    gradFunc: (g, list, attributes) => {
      const each = gradients(g as tf.Tensor, list, attributes);
      return Object.fromEntries(each.map((gradient, index) => [index, () => gradient]));
    },
  });
}

listed("AddN", (g, list) => list.map(() => tf.clone(g)));
listed("Pack", (g, _list, { axis }) => tf.unstack(g, axis));
listed("Concat", (g, list, { axis }) => {
  const along = tf.util.parseAxisParam(axis, list[0].shape)[0];
  let start = 0;
  return list.map(({ shape }) => {
    const begin = shape.map((_, index) => index === along ? start : 0);
    start += shape[along];
    return tf.slice(g, begin, shape);
  });
});
add({
  kernelName: "Unpack",
  gradFunc: (g, _saved, attributes) => ({
    value: () => tf.stack(g as tf.Tensor[], attributes.axis as number),
  }),
});
