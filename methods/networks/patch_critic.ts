/**
 * The critic: a fully convolutional network that judges every patch of an image (PatchGAN, Isola et al. 2017,
 * arXiv:1611.07004, §3.2.2). Its value for an image is the mean of its output map.
 *
 * Some 4x4 convolutions of stride 2, each with twice the channels of the one before it, instance normalisation
 * (not after the first) and leaky ReLU; then a 3x3 convolution to one channel without an activation. No biases.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { Rng } from "../../core/random.ts";
import { conv2d, instanceNorm, leakyRelu } from "../../engine/ops.ts";
import type { Shape } from "../../physics/operator.ts";
import { Filters, he, type Initialiser, type Network } from "./network.ts";
import { spectralNorm } from "./spectral_norm.ts";
import type { Tensor4D } from "../../engine/tensor.ts";

/** What a critic can be. */
export interface PatchCriticOptions {
  /** Channels of the images that it judges. */
  readonly channels: number;
  /** Channels after the first layer. */
  readonly width: number;
  /** How many layers of stride 2. */
  readonly layers: number;
  /** Whether the layers after the first are normalised; true unless said. Normalising hides an image's noise level. */
  readonly norm?: boolean;
  /** Whether each filter is divided by its spectral norm; false unless said. */
  readonly spectral?: boolean;
  /** Slope of the leaky ReLU below 0; 0.2 unless said. */
  readonly slope?: number;
  /** He's rule for the slope unless said. */
  readonly initialise?: Initialiser;
}

/** A critic for images of any size that `layers` halvings leave at least one pixel of. */
export function patchCritic(options: PatchCriticOptions, rng: Rng): Network {
  const { channels, width, layers, norm = true, spectral = false, slope = 0.2 } = options;
  const filters = new Filters(rng, options.initialise ?? he(slope));
  const strided = Array.from(
    { length: layers },
    (_, layer) =>
      filters.add(`layer${layer}`, [
        4,
        4,
        layer === 0 ? channels : width * 2 ** (layer - 1),
        width * 2 ** layer,
      ]),
  );
  const last = filters.add("last", [3, 3, layers === 0 ? channels : width * 2 ** (layers - 1), 1]);

  const bounded = spectral ? spectralNorm(filters.weights, rng.stream("spectral-norm")) : undefined;
  const weigh = (filter: tf.Variable<tf.Rank.R4>) => bounded?.divide(filter) ?? filter;
  const activate = (x: Tensor4D, layer: number) =>
    norm && layer > 0 ? instanceNorm(x, { slope }) : leakyRelu(x, slope);

  const weights = [...filters.weights, ...(bounded?.state ?? [])];
  return {
    weights,
    apply: (input) =>
      tf.tidy(() => {
        const features = strided.reduce(
          (x, filter, layer) => activate(conv2d(x, weigh(filter), { stride: 2, padding: 1 }), layer),
          input,
        );
        return conv2d(features, weigh(last), { padding: 1 });
      }),
    macs([height, width]: Shape) {
      let pixels = height * width;
      let sum = 0;
      for (const filter of strided) {
        [height, width] = [Math.floor(height / 2), Math.floor(width / 2)];
        pixels = height * width;
        sum += pixels * filter.size;
      }
      return sum + pixels * last.size;
    },
    settle: bounded?.settle,
    [Symbol.dispose]: () => tf.dispose(weights.map(({ variable }) => variable)),
  };
}
