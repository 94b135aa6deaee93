/**
 * A network: a function of images with weights.
 *
 * `apply` is an ordinary composition of tensor ops, so that gradients flow through it; the weights are
 * `Variable`s with names of their own. A network knows nothing of losses or of how it is trained.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../../core/errors.ts";
import type { Rng } from "../../core/random.ts";
import type { Operator, Shape } from "../../physics/operator.ts";
import type { Tensor1D, Tensor4D, Variable } from "../../engine/tensor.ts";

/** One array of weights. */
export interface Weight {
  /** Unique within its network, e.g. `down1/2`. */
  readonly name: string;
  /** Its values. */
  readonly variable: Variable;
  /** Whether a loss moves it; a weight that none moves is state that the network keeps itself. */
  readonly trained: boolean;
}

/** Something with weights. Dispose it when done. */
export interface Weighted extends Disposable {
  /** All weights, in a fixed order. */
  readonly weights: readonly Weight[];
  /** To be called whenever the weights have moved, by what keeps state about them. */
  settle?(): void;
}

/** A function of images with weights. */
export interface Network extends Weighted {
  /**
   * `[batch, height, width, in]` to `[batch, height', width', out]`, or the same of volumes, with a depth before the
   * height; borrows, and the caller owns the result. `A` is for networks that contain the operator.
   */
  apply(input: Tensor4D, A?: Operator): Tensor4D;
  /** What reconstructs once it is trained, where that is not `apply`: a function of the same kind. */
  infer?(input: Tensor4D): Tensor4D;
  /** Multiply-adds of the convolutions for one input `[height, width, in]` or `[depth, height, width, in]`. */
  macs(inputShape: Shape): number;
}

/** Independent standard normal numbers of a shape. */
export type Normal = (shape: readonly [number, number, number, number]) => Tensor4D;

/** A random function of images with weights. */
export interface RandomNetwork extends Weighted {
  /** As for {@linkcode Network}; draws from `normal`. */
  apply(input: Tensor4D, normal: Normal): Tensor4D;
}

/**
 * The standard deviation that a filter starts with, from the number of values that each of its outputs sums
 * over, and from the number of outputs that each of its inputs contributes to.
 */
export type Initialiser = (fanIn: number, fanOut: number) => number;

/**
 * 1/√(3·fan-in), the deviation that PyTorch's convolutions start with (there of a uniform distribution).
 *
 * What is normalised after a layer does not depend on the size of its weights, but how fast they turn under
 * Adam does: these turn 2.4 times faster than He's, and in a thousand updates that is a decibel or more.
 */
export function fanIn(): Initialiser {
  return (fanIn) => 1 / Math.sqrt(3 * fanIn);
}

/**
 * He et al. 2015 (arXiv:1502.01852, eq. 14), which keeps the variance of activations through layers with
 * leaky ReLUs of this slope.
 */
export function he(slope: number): Initialiser {
  return (fanIn) => Math.sqrt(2 / ((1 + slope ** 2) * fanIn));
}

/**
 * Glorot & Bengio 2010, eq. 16: √(2 / (fan-in + fan-out)); there of a uniform distribution. Known as
 * Xavier's.
 */
export function glorot(): Initialiser {
  return (fanIn, fanOut) => Math.sqrt(2 / (fanIn + fanOut));
}

/** One standard deviation for all; Zhu et al. 2017 (arXiv:1703.10593, appendix 7.1) take 0.02. */
export function normal(deviation: number): Initialiser {
  return () => deviation;
}

/** The initialisers by name. */
export const initialisations: readonly string[] = ["fan-in", "he", "normal"];

/** The initialiser of this name, for leaky ReLUs of this slope; `normal` is N(0, 0.02²). */
export function initialiser(name: string, slope: number): Initialiser {
  switch (name) {
    case "fan-in":
      return fanIn();
    case "he":
      return he(slope);
    case "normal":
      return normal(0.02);
    default:
      throw new RangeError(`no initialisation "${name}"; there are ${initialisations.join(", ")}`);
  }
}

/** Axes of space: 2 of images, 3 of volumes. */
export type Dimensions = 2 | 3;

/** The axes of space that images of this shape have. */
export function dimensionsOf(shape: Shape): Dimensions {
  return shape.length === 4 ? 3 : 2;
}

/**
 * Refuses volumes.
 *
 * @throws {TypeError} where the shape has a depth.
 */
export function requireImages(what: string, shape: Shape): void {
  if (dimensionsOf(shape) === 2) return;
  throw new TypeError(explain({
    what: `${what} is for images, not for volumes [${shape}]`,
    fix: "leave its methods out with --methods",
  }));
}

/** A square or cubic filter as `engine/volumes.ts` takes it: that of a volume has the channels of `side` slices. */
export function filterShape(
  dimensions: Dimensions,
  side: number,
  inputs: number,
  outputs: number,
): [number, number, number, number] {
  return [side, side, dimensions === 3 ? side * inputs : inputs, outputs];
}

/**
 * Makes a network's weights, each filter from a stream of random numbers that is named after it, and keeps
 * them in order.
 */
export class Filters {
  /** What was added so far. */
  readonly weights: Weight[] = [];
  readonly #rng: Rng;
  readonly #initialise: Initialiser;

  /** Filters are named within `rng`. */
  constructor(rng: Rng, initialise: Initialiser) {
    this.#rng = rng;
    this.#initialise = initialise;
  }

  /** A new filter `[kh, kw, in, out]` from N(0, (scale·deviation)²). */
  add(name: string, shape: [number, number, number, number], scale = 1): tf.Variable<tf.Rank.R4> {
    const [height, width, inputs, outputs] = shape;
    const fanIn = height * width * inputs;
    const rng = this.#rng.stream(name);
    const deviation = scale * this.#initialise(fanIn, height * width * outputs);
    const values = Float32Array.from({ length: fanIn * outputs }, () => deviation * rng.normal());
    const variable = newVariable(tf.tensor4d(values, shape));
    this.weights.push({ name, variable, trained: true });
    return variable;
  }

  /** One number a channel, e.g. biases or slopes, which all start with the same value. */
  addPerChannel(name: string, channels: number, start: number): Tensor1D {
    const variable = newVariable(tf.fill<tf.Rank.R1>([channels], start));
    this.weights.push({ name, variable, trained: true });
    return variable;
  }
}

/** A variable that takes over the tensor's values; the tensor is spent. */
export function newVariable<R extends tf.Rank>(values: tf.Tensor<R>): tf.Variable<R> {
  const variable = tf.variable(values);
  values.dispose();
  return variable;
}

/** Number of trained parameters. */
export function parameters(network: Weighted): number {
  return network.weights.reduce((sum, { variable, trained }) => sum + (trained ? variable.size : 0), 0);
}
