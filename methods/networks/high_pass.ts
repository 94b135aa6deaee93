/** A critic that judges the detail of an image only: what is left when a blurred copy is taken away. */

import * as tf from "@tensorflow/tfjs-core";
import { conv2d } from "../../engine/ops.ts";
import type { Network } from "./network.ts";

/** Standard deviation of the blur in pixels, and its reach to each side. */
const [deviation, reach] = [1, 3];
/** What the detail is multiplied by, so that noise has about the size that images have. */
const gain = 2;

/**
 * x ↦ critic(2·(x − g * x)), g a Gaussian of one pixel, for images of so many channels. Where g reaches over the border
 * nothing is judged: the critic's image is six pixels smaller in both directions.
 *
 * The anatomy of two subjects differs most in low frequencies, where noise is least: without them a critic sees noise at
 * once.
 */
export function highPass(critic: Network, channels: number): Network {
  const filter = tf.keep(detailFilter(channels));
  return {
    ...critic,
    apply: (x) => tf.tidy(() => critic.apply(conv2d(x, filter))),
    macs([height, width]) {
      const inner = [height - 2 * reach, width - 2 * reach];
      return inner[0] * inner[1] * filter.size + critic.macs([...inner, channels]);
    },
    [Symbol.dispose]() {
      filter.dispose();
      critic[Symbol.dispose]();
    },
  };
}

/** The filter 2·(δ − g), each channel by itself: `[7, 7, channels, channels]`. */
function detailFilter(channels: number): tf.Tensor4D {
  const side = 2 * reach + 1;
  const line = Array.from({ length: side }, (_, i) => Math.exp(-(((i - reach) / deviation) ** 2) / 2));
  const sum = line.reduce((a, b) => a + b, 0);
  const filter = tf.buffer<tf.Rank.R4>([side, side, channels, channels]);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const centre = row === reach && column === reach ? 1 : 0;
      const value = gain * (centre - line[row] * line[column] / sum ** 2);
      for (let channel = 0; channel < channels; channel++) filter.set(value, row, column, channel, channel);
    }
  }
  return filter.toTensor();
}
