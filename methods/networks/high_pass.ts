/** A critic that judges the detail of an image only: what is left when a blurred copy is taken away. */

import * as tf from "@tensorflow/tfjs-core";
import { convolve } from "../../engine/volumes.ts";
import type { Shape } from "../../physics/operator.ts";
import { type Dimensions, dimensionsOf, filterShape, type Network } from "./network.ts";

/** What is taken away, and what is done with the rest. */
export interface HighPassOptions {
  /** Standard deviation of the blur in pixels; 1 unless said. */
  readonly deviation?: number;
  /** Pixels that it reaches to each side; 3 unless said. */
  readonly reach?: number;
  /** What the detail is multiplied by; 2 unless said, so that noise has about the size that images have. */
  readonly gain?: number;
}

/**
 * x ↦ critic(gain·(x − g * x)), g a Gaussian, for images or volumes of this shape. Where g reaches over the border
 * nothing is judged: the critic's image is 2·reach pixels smaller along every axis.
 *
 * The anatomy of two subjects differs most in low frequencies, where noise is least: without them a critic sees noise at
 * once.
 */
export function highPass(critic: Network, shape: Shape, options: HighPassOptions = {}): Network {
  const { reach = 3 } = options;
  const channels = shape[shape.length - 1];
  const filter = tf.keep(detailFilter(dimensionsOf(shape), channels, options));
  return {
    ...critic,
    apply: (x) => tf.tidy(() => critic.apply(convolve(x, filter))),
    macs(inputShape) {
      const inner = inputShape.slice(0, -1).map((extent) => extent - 2 * reach);
      const voxels = inner.reduce((product, extent) => product * extent);
      return voxels * filter.size + critic.macs([...inner, channels]);
    },
    [Symbol.dispose]() {
      filter.dispose();
      critic[Symbol.dispose]();
    },
  };
}

/** The filter gain·(δ − g), each channel by itself. */
function detailFilter(
  dimensions: Dimensions,
  channels: number,
  { deviation = 1, reach = 3, gain = 2 }: HighPassOptions,
): tf.Tensor4D {
  const side = 2 * reach + 1;
  const line = Array.from({ length: side }, (_, i) => Math.exp(-(((i - reach) / deviation) ** 2) / 2));
  const sum = line.reduce((a, b) => a + b, 0);
  const weight = (place: readonly number[]) =>
    gain * ((place.every((i) => i === reach) ? 1 : 0) -
      place.reduce((product, i) => product * line[i], 1) / sum ** place.length);
  const filter = tf.buffer<tf.Rank.R4>(filterShape(dimensions, side, channels, channels));
  const slices = dimensions === 3 ? side : 1;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      for (let slice = 0; slice < slices; slice++) {
        const value = weight(dimensions === 3 ? [slice, row, column] : [row, column]);
        for (let channel = 0; channel < channels; channel++) {
          filter.set(value, row, column, slice * channels + channel, channel);
        }
      }
    }
  }
  return filter.toTensor();
}
