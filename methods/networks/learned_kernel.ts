/** A convolution's kernel that is learned with the networks: h of Sim et al. 2020 (arXiv:1909.12116), Table 1(b). */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../../core/errors.ts";
import type { Image } from "../../core/image.ts";
import { assign } from "../../engine/assign.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { Shape } from "../../physics/operator.ts";
import { newVariable, type Weighted } from "./network.ts";

/** A kernel with weights, and their average over steps, which is steadier. */
export interface LearnedKernel extends Weighted {
  /** The kernel as it is being learned; differentiable in the weights. The caller owns it. */
  kernel(): Tensor;
  /** The same from the average over steps: what a generator is to learn from. The caller owns it. */
  averaged(): Tensor;
  /** The average's `kernel`, and `kernel-initial`, what it was before the first step; both of sum 1. */
  learned(): Promise<Record<string, Image>>;
}

/** What makes a kernel of weights. */
export interface KernelOptions {
  /** What the weights start with, an array of any shape. */
  readonly start: Tensor;
  /** What is averaged over steps, e.g. the shares that weights are the logarithms of; the weights themselves unless said. */
  readonly averages?: (weights: Tensor) => Tensor;
  /** The kernel, `[height, width, 1]` or with a depth, that what is averaged stands for; differentiable in it. */
  readonly make: (averaged: Tensor) => Tensor;
  /** Least weight of the newest in the average; until it is reached the average is that of all steps. */
  readonly averaging: number;
  /** Called after each step with the weights, of which several may stand for one kernel; gives those that they become. */
  readonly settled?: (weights: Tensor) => Tensor;
}

/** The kernel that `make` makes of one array of weights, which starts as `start`; it takes `start` over. */
export function learnedKernel(
  { start, make, averaging, averages = (weights) => tf.clone(weights), settled }: KernelOptions,
): LearnedKernel & {
  /** What is averaged, as its average. */
  readonly average: Tensor;
  /** Gives the weights these values, and forgets the average; borrows them. */
  set(values: Tensor): void;
} {
  // Values of their own: steps change those of the weights in place.
  const averaged = (weights: Tensor) => tf.tidy(() => tf.mul(averages(weights), 1));
  const initial = averaged(start);
  const average = newVariable(averaged(start));
  const weights = newVariable(start);
  const steps = newVariable(tf.zeros([1]));
  return {
    weights: [
      { name: "kernel", variable: weights, trained: true },
      { name: "average", variable: average, trained: false },
      { name: "steps", variable: steps, trained: false },
    ],
    average,
    kernel: () => tf.tidy(() => make(averages(weights))),
    averaged: () => tf.tidy(() => make(average)),
    settle: () =>
      tf.tidy(() => {
        if (settled !== undefined) assign(weights, settled(weights));
        assign(steps, tf.add(steps, 1));
        const newest = tf.maximum(tf.reciprocal(steps), averaging);
        assign(average, tf.add(average, tf.mul(newest, tf.sub(averages(weights), average))));
      }),
    set: (values) =>
      tf.tidy(() => {
        assign(weights, values);
        assign(average, averages(weights));
        assign(steps, tf.zeros([1]));
      }),
    learned: async () => ({
      kernel: await ofSumOne(make, average),
      "kernel-initial": await ofSumOne(make, initial),
    }),
    [Symbol.dispose]: () => tf.dispose([initial, average, weights, steps]),
  };
}

async function ofSumOne(make: KernelOptions["make"], averaged: Tensor): Promise<Image> {
  const kernel = tf.tidy(() => {
    const made = make(averaged);
    return tf.div(made, tf.sum(made));
  });
  const image = { shape: kernel.shape, data: Float32Array.from(await kernel.data()) };
  kernel.dispose();
  return image;
}

/** Refuses what is no `[height, width, 1]` or `[depth, height, width, 1]` of odd extents. */
export function requireKernelShape(shape: Shape): void {
  const isPossible = (shape.length === 3 || shape.length === 4) && shape.at(-1) === 1 &&
    shape.every((extent) => Number.isInteger(extent) && extent > 0 && extent % 2 === 1);
  if (isPossible) return;
  throw new RangeError(explain({
    what: `a learned kernel cannot have the shape [${shape}]`,
    fix: "give [height, width, 1] or [depth, height, width, 1], of odd extents",
  }));
}
