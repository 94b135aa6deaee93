/** The generator: one U-Net with one set of settings for every method, so that methods differ in how it is trained. */

import * as tf from "@tensorflow/tfjs-core";
import type { Rng } from "../core/random.ts";
import type { Settings, Values } from "../core/settings.ts";
import { leakyRelu, relu } from "../engine/ops.ts";
import type { Tensor4D } from "../engine/tensor.ts";
import type { Shape } from "../physics/operator.ts";
import type { Problem } from "./method.ts";
import { dimensionsOf, initialisations, initialiser, type Network } from "./networks/network.ts";
import { inPieces } from "./networks/pieces.ts";
import { unet } from "./networks/unet.ts";

/** The generator's settings. */
export const generatorSettings = {
  width: { default: 8, about: "channels of the U-Net's first level", min: 1, max: 1024, whole: true },
  levels: { default: 3, about: "how many times the U-Net halves the image", min: 0, max: 8, whole: true },
  poolKind: { default: "average", choices: ["average", "max"], about: "how the U-Net halves the image" },
  norm: {
    default: true,
    about: "whether the U-Net's layers have instance normalisation, which hides how bright an image is",
  },
  residual: { default: true, about: "whether the U-Net's output is a correction to its input" },
  slope: { default: 0.2, about: "slope below 0 of the leaky ReLUs; 0 makes them ReLUs", min: 0, max: 1 },
  initialisation: {
    default: "fan-in",
    choices: initialisations,
    about: "deviation of the U-Net's initial weights: 1/√(3·fan-in), He's rule, or 0.02",
  },
  lastScale: {
    default: 0.1,
    about:
      "factor on the initial weights of the U-Net's last layer; small ones start it near its input if residual",
    min: 0,
    max: 100,
  },
  rectified: {
    default: false,
    about: "whether the U-Net ends in a ReLU; while it is trained, in a leaky one of slope 0.05",
  },
} satisfies Settings;

/** Below 0, of what ends a rectified U-Net while it learns: with a ReLU, networks die that start on the wrong side. */
const trainingSlope = 0.05;

/**
 * Voxels times channels of the first level that a volume's generator works on at once: 400 MB, of which the first
 * convolution on the way up takes most. What is larger is made in pieces.
 */
const mostValues = 2 ** 23;

/**
 * A generator from images or volumes of one shape to those of another, which differ in no more than their channels. Where images
 * have a range, its output is clipped to it; a rectified one is not below 0 once it is trained.
 */
export function generator(
  set: Values<typeof generatorSettings>,
  from: Shape,
  to: Shape,
  rng: Rng,
  range?: Problem["range"],
): Network {
  const whole = unet({
    dimensions: dimensionsOf(from),
    inputChannels: from[from.length - 1],
    outputChannels: to[to.length - 1],
    width: set.width,
    levels: set.levels,
    norm: set.norm,
    pool: set.poolKind === "max" ? "max" : "average",
    residual: set.residual,
    slope: set.slope,
    initialise: initialiser(set.initialisation, set.slope),
    lastScale: set.lastScale,
  }, rng);
  const network = inPieces(whole, mostValues / set.width);
  const made = set.rectified ? rectified(network) : network;
  if (range === undefined) return made;
  return ending(made, (x) => tf.clipByValue(x, range.low, range.high));
}

function rectified(network: Network): Network {
  return {
    ...ending(network, (x) => leakyRelu(x, trainingSlope)),
    infer: (x) => tf.tidy(() => relu(network.apply(x))),
  };
}

/** The network with one more function of its output. */
function ending(network: Network, end: (output: Tensor4D) => Tensor4D): Network {
  const { apply, infer } = network;
  return {
    ...network,
    apply: (x) => tf.tidy(() => end(apply(x))),
    ...(infer && { infer: (x) => tf.tidy(() => end(infer(x))) }),
  };
}
