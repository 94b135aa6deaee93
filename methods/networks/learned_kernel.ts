/** A convolution's kernel that is learned with the networks: h of Sim et al. 2020 (arXiv:1909.12116), Table 1(b). */

import * as tf from "@tensorflow/tfjs-core";
import type { Image } from "../../core/image.ts";
import { assign } from "../../engine/assign.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { newVariable, type Weighted } from "./network.ts";

/** A kernel with weights, and their average over steps, which is steadier. */
export interface LearnedKernel extends Weighted {
  /** The kernel as it is being learned; differentiable in the weights. The caller owns it. */
  kernel(): Tensor;
  /** The same with the average of the weights: what a generator is to learn from. The caller owns it. */
  averaged(): Tensor;
  /** The average's `kernel`, and `kernel-initial`, what it was before the first step; both of sum 1. */
  learned(): Promise<Record<string, Image>>;
}

/** What makes a kernel of weights. */
export interface KernelOptions {
  /** What the weights start with, an array of any shape. */
  readonly start: Tensor;
  /** The kernel, `[height, width, 1]` or with a depth, that these weights stand for; differentiable in them. */
  readonly make: (weights: Tensor) => Tensor;
  /** Least weight of the newest weights in their average; until it is reached the average is that of all steps. */
  readonly averaging: number;
}

/** The kernel that `make` makes of one array of weights, which starts as `start`; it takes `start` over. */
export function learnedKernel({ start, make, averaging }: KernelOptions): LearnedKernel & {
  /** The average of the weights. */
  readonly average: Tensor;
} {
  const initial = tf.keep(start.clone());
  const average = newVariable(start.clone());
  const weights = newVariable(start);
  const steps = newVariable(tf.zeros([1]));
  return {
    weights: [
      { name: "kernel", variable: weights, trained: true },
      { name: "average", variable: average, trained: false },
      { name: "steps", variable: steps, trained: false },
    ],
    average,
    kernel: () => tf.tidy(() => make(weights)),
    averaged: () => tf.tidy(() => make(average)),
    settle: () =>
      tf.tidy(() => {
        assign(steps, tf.add(steps, 1));
        const newest = tf.maximum(tf.reciprocal(steps), averaging);
        assign(average, tf.add(average, tf.mul(newest, tf.sub(weights, average))));
      }),
    learned: async () => ({
      kernel: await ofSumOne(make, average),
      "kernel-initial": await ofSumOne(make, initial),
    }),
    [Symbol.dispose]: () => tf.dispose([initial, average, weights, steps]),
  };
}

async function ofSumOne(make: KernelOptions["make"], weights: Tensor): Promise<Image> {
  const kernel = tf.tidy(() => {
    const made = make(weights);
    return tf.div(made, tf.sum(made));
  });
  const image = { shape: kernel.shape, data: Float32Array.from(await kernel.data()) };
  kernel.dispose();
  return image;
}
