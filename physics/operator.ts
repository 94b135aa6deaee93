/** The forward operator: how an image becomes a measurement, and the adjoint. */

import type { Json } from "../core/json.ts";
import type { Tensor } from "../engine/tensor.ts";

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
  /** E.g. `"masked-fourier"`. */
  readonly name: string;
  /** All that decides what it does. */
  readonly settings: { readonly [key: string]: Json };
  /** Shape of an image, without the batch. */
  readonly imageShape: Shape;
  /** Shape of a measurement, without the batch. */
  readonly measurementShape: Shape;
  /** An upper bound of ‖A‖, which iterative methods take their step sizes from; 1 where it is absent. */
  readonly norm?: number;
  /** A x, from `[batch, ...imageShape]` to `[batch, ...measurementShape]`. */
  forward(image: Tensor): Tensor;
  /** Aᴴ y, from `[batch, ...measurementShape]` to `[batch, ...imageShape]`. */
  adjoint(measurement: Tensor): Tensor;
  /**
   * An image that nearly has this measurement, by a linear map that is cheap, e.g. filtered back-projection: what
   * networks may be shown where the adjoint itself is a poor image. Same shapes and rules as `adjoint`.
   */
  approximateInverse?(measurement: Tensor): Tensor;
}
