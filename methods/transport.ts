/** What the optimal transport losses have in common: images as distributions of mass. */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import type { Settings, Values } from "../core/settings.ts";
import { relu } from "../engine/ops.ts";
import type { Scalar, Tensor, Tensor3D, Tensor4D } from "../engine/tensor.ts";

/** The settings of the optimal transport losses. */
export const transportSettings = {
  reach: {
    default: 0.15625,
    about: "distance that costs as much as the cost is scaled to, in widths of the image (10 of 64 pixels)",
    min: 1e-3,
    max: 10,
  },
  epsilon: {
    default: 0.02,
    about: "weight ε of the entropy, in units of the cost",
    min: 1e-6,
    max: 100,
  },
  sinkhornIterations: {
    default: 10,
    about: "Sinkhorn iterations of the loss",
    min: 1,
    max: 100_000,
    whole: true,
  },
  floor: {
    default: 1e-4,
    about: "share of the label's mass that is spread evenly over both images, so that no pixel is empty",
    min: 1e-9,
    max: 1,
  },
} satisfies Settings;

/** The setting of {@linkcode massError}'s weight beside a transport loss. */
export const massSettings = {
  massWeight: {
    default: 1,
    about: "weight of the squared relative error of the total mass",
    min: 0,
    max: 1e6,
  },
} satisfies Settings;

/** The values of {@linkcode transportSettings}. */
export type Transport = Values<typeof transportSettings>;

/**
 * Two images of one channel, `[n, h, w, 1]`, as distributions `[n, h, w]` whose sums are 1. Values below 0
 * count as none; `floor` times the label's mean is added to every pixel of both. A label without mass gives
 * no numbers (NaN).
 *
 * The transport of unit masses is that of the output normalised to the label's mass (003, §4), divided by
 * that mass: large and small objects count alike.
 *
 * @throws {TypeError} where the images are not of one shape or have several channels.
 */
export function distributions(
  output: Tensor4D,
  label: Tensor4D,
  floor: number,
): { readonly output: Tensor3D; readonly label: Tensor3D } {
  const [n, height, width, channels] = label.shape;
  if (channels !== 1 || !tf.util.arraysEqual(output.shape, label.shape)) {
    throw new TypeError(explain({
      what: `cannot move the mass of images [${output.shape}] onto [${label.shape}]`,
      where: "the optimal transport loss",
      fix: "give two batches of images of one size and one channel",
    }));
  }
  const added = tf.mul(sums(relu(label)), floor / (height * width));
  const distribution = (image: Tensor4D): Tensor3D => {
    const masses = tf.add(relu(image), added);
    return tf.reshape(tf.div(masses, sums(masses)), [n, height, width]);
  };
  return tf.tidy(() => ({ output: distribution(output), label: distribution(label) }));
}

/**
 * The mean over the batch of (Σ output / Σ label − 1)²: the transport does not see the mass of the output.
 */
export function massError(output: Tensor4D, label: Tensor4D): Scalar {
  return tf.tidy(() => tf.mean(tf.square(tf.sub(tf.div(sums(output), sums(label)), 1))));
}

/** The sum of each image, `[n, 1, 1, 1]`. */
function sums(images: Tensor): Tensor {
  return tf.sum(images, [1, 2, 3], true);
}
