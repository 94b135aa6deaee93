/**
 * The critic: a fully convolutional network that judges every patch of an image (PatchGAN, Isola et al. 2017,
 * arXiv:1611.07004, §3.2.2). Its value for an image is the mean of its output map.
 *
 * Some 4x4 (4x4x4) convolutions of stride 2, each with twice the channels of the one before it, instance normalisation
 * (not after the first) and leaky ReLU; then a 3x3 (3x3x3) convolution to one channel without an activation. No biases.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { Rng } from "../../core/random.ts";
import { sizeOf } from "../../core/image.ts";
import { leakyRelu } from "../../engine/ops.ts";
import { convolve, normalise } from "../../engine/volumes.ts";
import type { Shape } from "../../physics/operator.ts";
import { type Dimensions, Filters, filterShape, he, type Initialiser, type Network } from "./network.ts";
import { spectralNorm } from "./spectral_norm.ts";
import type { Tensor4D } from "../../engine/tensor.ts";

/** What a critic can be. */
export interface PatchCriticOptions {
  /** Whether it judges images or volumes; 2, images, unless said. */
  readonly dimensions?: Dimensions;
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

/** A critic for images or volumes of any size that `layers` halvings leave at least one pixel of. */
export function patchCritic(options: PatchCriticOptions, rng: Rng): Network {
  const { dimensions = 2, channels, width, layers, norm = true, spectral = false, slope = 0.2 } = options;
  const filters = new Filters(rng, options.initialise ?? he(slope));
  const inputs = (layer: number) => layer === 0 ? channels : width * 2 ** (layer - 1);
  const strided = Array.from(
    { length: layers },
    (_, layer) => filters.add(`layer${layer}`, filterShape(dimensions, 4, inputs(layer), width * 2 ** layer)),
  );
  const last = filters.add("last", filterShape(dimensions, 3, inputs(layers), 1));

  const bounded = spectral ? spectralNorm(filters.weights, rng.stream("spectral-norm")) : undefined;
  const weigh = (filter: tf.Variable<tf.Rank.R4>) => bounded?.divide(filter) ?? filter;
  const activate = (x: Tensor4D, layer: number) =>
    norm && layer > 0 ? normalise(x, { slope }) : leakyRelu(x, slope);

  const weights = [...filters.weights, ...(bounded?.state ?? [])];
  return {
    weights,
    apply: (input) =>
      tf.tidy(() => {
        const features = strided.reduce(
          (x, filter, layer) => activate(convolve(x, weigh(filter), { stride: 2, padding: 1 }), layer),
          input,
        );
        return convolve(features, weigh(last), { padding: 1 });
      }),
    macs(inputShape: Shape) {
      let extents = inputShape.slice(0, -1);
      let sum = 0;
      for (const filter of strided) {
        extents = extents.map((extent) => Math.floor(extent / 2));
        sum += sizeOf(extents) * filter.size;
      }
      return sum + sizeOf(extents) * last.size;
    },
    settle: bounded?.settle,
    [Symbol.dispose]: () => tf.dispose(weights.map(({ variable }) => variable)),
  };
}
