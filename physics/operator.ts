/** The forward operator: how an image becomes a measurement, and the adjoint. */

import type * as tf from "@tensorflow/tfjs-core";
import type { Json } from "../core/json.ts";

/** Extents of one image or measurement, without the batch: `[height, width, channels]`. */
export type Shape = readonly number[];

/**
 * A linear map A from images to measurements, with its adjoint Aᴴ.
 *
 * Both directions take a batch (`[batch, ...shape]`), borrow it, and return a tensor that the caller owns. They
 * are differentiable, deterministic (noise is apart and takes a random stream), and exact partners:
 * ⟨A x, y⟩ = ⟨x, Aᴴ y⟩.
 */
export interface Operator {
  readonly name: string;
  readonly settings: { readonly [key: string]: Json };
  /** Shape of an image, without the batch. */
  readonly imageShape: Shape;
  /** Shape of a measurement, without the batch. */
  readonly measurementShape: Shape;
  /** An upper bound of ‖A‖, which iterative methods take their step sizes from; 1 where it is absent. */
  readonly norm?: number;
  /** A x, from `[batch, ...imageShape]` to `[batch, ...measurementShape]`. */
  forward(image: tf.Tensor): tf.Tensor;
  /** Aᴴ y, from `[batch, ...measurementShape]` to `[batch, ...imageShape]`. */
  adjoint(measurement: tf.Tensor): tf.Tensor;
}
