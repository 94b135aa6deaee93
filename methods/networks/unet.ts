/**
 * The U-Net (Ronneberger, Fischer & Brox 2015, arXiv:1505.04597) as the papers of this suite use it: with
 * instance normalisation and leaky ReLUs, and without an activation at the end (000, §4.1 and fig. 4a).
 *
 * Each level has two 3x3 convolutions and twice the channels of the level above. Going down halves the image by
 * 2x2 pooling, going up doubles it by nearest neighbours and appends the channels of the same level on the way
 * down; a 1x1 convolution ends it. There are no biases: normalisation would take them away again. That of volumes is the
 * same along three axes (Çiçek et al. 2016, arXiv:1606.06650).
 */

import * as tf from "@tensorflow/tfjs-core";
import type { Rng } from "../../core/random.ts";
import { sizeOf } from "../../core/image.ts";
import { leakyRelu } from "../../engine/ops.ts";
import { averagePool, convolve, joinUpsampled, maxPool, normalise } from "../../engine/volumes.ts";
import { type Dimensions, Filters, filterShape, he, type Initialiser, type Network } from "./network.ts";
import type { Tensor, Tensor4D } from "../../engine/tensor.ts";

/** What a U-Net can be. */
export interface UNetOptions {
  /** Whether it is for images or for volumes; 2, images, unless said. */
  readonly dimensions?: Dimensions;
  /** Channels that it takes. */
  readonly inputChannels: number;
  /** Channels that it gives. */
  readonly outputChannels: number;
  /** Channels of the first level. */
  readonly width: number;
  /** How many times the image is halved. */
  readonly levels: number;
  /** Whether each convolution but the last is followed by instance normalisation; true unless said. */
  readonly norm?: boolean;
  /** Slope of the leaky ReLU below 0; 0 makes it a ReLU. 0.2 unless said. */
  readonly slope?: number;
  /** How an image is halved; `average` unless said. */
  readonly pool?: "average" | "max";
  /** Whether the output is the input plus what the U-Net says, which then learns a correction; false unless said. */
  readonly residual?: boolean;
  /** Factor on the last convolution's initial weights: a small one starts a residual network near the identity. */
  readonly lastScale?: number;
  /** He's rule for the slope unless said. */
  readonly initialise?: Initialiser;
}

/**
 * A U-Net for images or volumes of any size: they are padded with zeros to multiples of 2^levels, evenly on both sides,
 * and the output is cropped to the input's size.
 *
 * @throws {RangeError} where a residual network has different numbers of channels at its ends.
 */
export function unet(options: UNetOptions, rng: Rng): Network {
  const { inputChannels, outputChannels, width, levels, norm = true, slope = 0.2, pool = "average" } =
    options;
  const { dimensions = 2, residual = false, lastScale = 1, initialise = he(slope) } = options;
  if (residual && inputChannels !== outputChannels) {
    throw new RangeError(
      `a residual U-Net adds its output to its input, but takes ${inputChannels} channels and gives ` +
        `${outputChannels}; set residual to false`,
    );
  }

  const filters = new Filters(rng, initialise);
  const channels = (level: number) => width * 2 ** level;
  const pair = (name: string, from: number, to: number) => [
    filters.add(`${name}/1`, filterShape(dimensions, 3, from, to)),
    filters.add(`${name}/2`, filterShape(dimensions, 3, to, to)),
  ];
  const down = Array.from(
    { length: levels + 1 },
    (_, level) => pair(`down${level}`, level === 0 ? inputChannels : channels(level - 1), channels(level)),
  );
  const up = Array.from(
    { length: levels },
    (_, level) => pair(`up${level}`, channels(level) + channels(level + 1), channels(level)),
  );
  const last = filters.add("last", [1, 1, width, outputChannels], lastScale);

  // Whatever no tape needs is given back layer by layer: the maps of a whole volume would fill the memory.
  const activate = (x: Tensor4D) => norm ? normalise(x, { slope }) : leakyRelu(x, slope);
  const layer = (x: Tensor4D, filter: Tensor4D) =>
    tf.tidy(() => activate(convolve(x, filter, { padding: 1 })));
  const layers = (x: Tensor4D, pair: readonly Tensor4D[]) => tf.tidy(() => pair.reduce(layer, x));
  const halve = pool === "max" ? maxPool : averagePool;
  const from = (x: Tensor4D, level: number): Tensor4D =>
    tf.tidy(() => {
      const skip = layers(x, down[level]);
      if (level === levels) return skip;
      const below = from(halve(skip), level + 1);
      return layers(joinUpsampled(skip, below), up[level]);
    });

  const block = 2 ** levels;
  return {
    weights: filters.weights,
    apply: (input) =>
      tf.tidy(() => {
        const output = onMultiplesOf(block, input, (x) => convolve(from(x, 0), last));
        return residual ? tf.add(input, output) : output;
      }),
    macs(inputShape) {
      const pixels = sizeOf(inputShape.slice(0, -1).map((extent) => Math.ceil(extent / block) * block));
      const at = (level: number) =>
        [...down[level], ...(up[level] ?? [])].reduce((sum, f) => sum + f.size, 0);
      return down.reduce(
        (sum, _, level) => sum + pixels / 2 ** (dimensions * level) * at(level),
        pixels * last.size,
      );
    },
    [Symbol.dispose]: () => tf.dispose(filters.weights.map(({ variable }) => variable)),
  };
}

/** Applies `f` to the image or volume padded with zeros to multiples of `block`, and crops what comes out. */
function onMultiplesOf(
  block: number,
  image: Tensor4D,
  f: (padded: Tensor4D) => Tensor4D,
): Tensor4D {
  const paddings = image.shape.map((extent, axis): [number, number] => {
    const missing = axis === 0 || axis === image.rank - 1 ? 0 : (block - extent % block) % block;
    return [Math.floor(missing / 2), Math.ceil(missing / 2)];
  });
  if (paddings.flat().every((missing) => missing === 0)) return f(image);
  const output: Tensor = f(tf.pad(image, paddings));
  const channels = output.shape[output.rank - 1];
  return tf.slice(output, paddings.map(([before]) => before), [
    ...image.shape.slice(0, -1),
    channels,
  ]) as Tensor4D;
}
