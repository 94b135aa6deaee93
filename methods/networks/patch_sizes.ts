/** Critics of patches of several sizes, as Lim et al. 2020 (arXiv:1908.09414) train with. */

import * as tf from "@tensorflow/tfjs-core";
import type { Tensor4D } from "../../engine/tensor.ts";
import type { Network, Weighted } from "./network.ts";

/** Several critics, each of which judges every patch of its own size. */
export interface Critics extends Weighted {
  /** By falling size of what they look at. */
  readonly critics: readonly Network[];
}

/** What is judged, by the name that its critic has among the weights: an image is halved so often along each axis. */
const halvings = { whole: 0, halves: 1, quarters: 2 } as const;

/**
 * Three critics, which judge an image whole, its halves along each axis, and its quarters. `make` gives each by its name, for a
 * patch that was halved so often: its critic has to halve it less.
 */
export function criticsOfPatches(make: (name: string, halvings: number) => Network): Critics {
  const made = Object.entries(halvings).map(([name, times]) => ({
    name,
    parts: 2 ** times,
    critic: make(name, times),
  }));
  return {
    critics: made.map(({ parts, critic }) => ({
      ...critic,
      apply: (x) => tf.tidy(() => critic.apply(patches(x, parts))),
      macs: (whole) =>
        parts ** (whole.length - 1) *
        critic.macs([...whole.slice(0, -1).map((extent) => Math.floor(extent / parts)), whole.at(-1)!]),
    })),
    weights: made.flatMap(({ name, critic }) =>
      critic.weights.map((weight) => ({ ...weight, name: `${name}/${weight.name}` }))
    ),
    settle: () => made.forEach(({ critic }) => critic.settle?.()),
    [Symbol.dispose]: () => made.forEach(({ critic }) => critic[Symbol.dispose]()),
  };
}

/**
 * An image's parts as a batch: `[n, h, w, c]` cut into `parts` along each axis of space, the last pixels of an axis that they
 * do not divide left off.
 */
export function patches(x: Tensor4D, parts: number): Tensor4D {
  if (parts === 1) return tf.clone(x);
  return tf.tidy(() => {
    const axes = x.shape.map((_, axis) => axis).slice(1, -1);
    return axes.reduce((whole, axis): Tensor4D => {
      const size: number[] = [...whole.shape];
      size[axis] = Math.floor(x.shape[axis] / parts);
      return tf.concat(Array.from({ length: parts }, (_, part) => {
        const begin = size.map((_, other) => other === axis ? part * size[axis] : 0);
        return tf.slice(
          whole,
          begin as [number, number, number, number],
          size as [number, number, number, number],
        );
      }));
    }, x);
  });
}
