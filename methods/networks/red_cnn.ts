/**
 * RED-CNN, the residual encoder-decoder (Chen et al. 2017, arXiv:1702.00288).
 *
 * Some 5x5 convolutions, which are not padded and so take four pixels from either side of the image together, and as many
 * transposed ones, which give them back in reverse; each with biases. Every second transposed convolution, from the first on, is
 * added what the convolutions had at its size, before its ReLU: with five, the last one the image itself.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../../core/errors.ts";
import { sizeOf } from "../../core/image.ts";
import type { Rng } from "../../core/random.ts";
import { addToChannels, conv2d, conv2dBackpropInput, relu } from "../../engine/ops.ts";
import type { Tensor1D, Tensor4D } from "../../engine/tensor.ts";
import type { Problem } from "../method.ts";
import { Filters, type Initialiser, type Network, newVariable } from "./network.ts";

/** Pixels of a filter along an axis. */
const side = 5;

/** What a RED-CNN can be. */
export interface RedCnnOptions {
  /** Channels of images. */
  readonly channels: number;
  /** Filters of each convolution. */
  readonly filters: number;
  /** Convolutions, and as many transposed ones. */
  readonly depth: number;
  /** The deviation of initial weights. */
  readonly initialise: Initialiser;
  /** What the output is clipped to, which the last ReLU does from below; without a range there is no last ReLU. */
  readonly range?: Problem["range"];
}

/** A RED-CNN for images of more than 4·depth pixels along either axis. */
export function redCnn({ channels, filters, depth, initialise, range }: RedCnnOptions, rng: Rng): Network {
  const weights = new Filters(rng, initialise);
  const layer = (name: string, inputs: number, biases: number) => {
    const filter = weights.add(name, [side, side, inputs, filters]);
    const bias = newVariable(tf.zeros<tf.Rank.R1>([biases]));
    weights.weights.push({ name: `${name}/bias`, variable: bias, trained: true });
    return { filter, bias: bias as Tensor1D };
  };
  const inputs = Array.from({ length: depth }, (_, index) => index === 0 ? channels : filters);
  const down = inputs.map((count, index) => layer(`down${index}`, count, filters));
  const up = inputs.map((count, index) => layer(`up${index}`, count, count));

  return {
    weights: weights.weights,
    apply: (x) =>
      tf.tidy(() => {
        requireRoom(x.shape, depth);
        const levels = [x];
        for (const { filter, bias } of down) {
          levels.push(relu(addToChannels(conv2d(levels.at(-1)!, filter), bias)));
        }
        let image: Tensor4D = levels.pop()!;
        for (const [index, { filter, bias }] of [...up.entries()].reverse()) {
          const same = levels.pop()!;
          const [, height, width] = same.shape;
          image = addToChannels(conv2dBackpropInput(image, filter, [height, width]), bias);
          if ((depth - index) % 2 === 1) image = tf.add(image, same);
          if (index > 0) image = relu(image);
        }
        return range === undefined ? image : tf.clipByValue(image, range.low, range.high);
      }),
    macs: ([height, width]) =>
      inputs.reduce((sum, count, index) => {
        const inner = (extent: number) => extent - (index + 1) * (side - 1);
        return sum + 2 * inner(height) * inner(width) * sizeOf([side, side, count, filters]);
      }, 0),
    [Symbol.dispose]: () => tf.dispose(weights.weights.map(({ variable }) => variable)),
  };
}

function requireRoom([, height, width]: readonly number[], depth: number): void {
  const least = depth * (side - 1) + 1;
  if (Math.min(height, width) >= least) return;
  throw new RangeError(explain({
    what: `an image of ${height}x${width} has no room for ${depth} convolutions of ${side}x${side}`,
    where: "red-cnn",
    fix: `give images of at least ${least}x${least}, or --set depth=N`,
  }));
}
