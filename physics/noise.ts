/** How a camera's noise looks, for training: what is measured has noise, and so must what networks are shown in its place. */

import type { Json } from "../core/json.ts";
import type { Tensor4D } from "../engine/tensor.ts";

/** A calibrated camera's noise as a differentiable function of what it should have measured. */
export interface Noise {
  /** All that decides it. */
  readonly settings: { readonly [key: string]: Json };
  /**
   * A measurement whose expectation is `expected`, `[batch, ...measurementShape]` in the measurement's units, from
   * independent standard normal numbers of the same shape. Borrows both; the caller owns the result. Differentiable in
   * `expected`.
   */
  add(expected: Tensor4D, normal: Tensor4D): Tensor4D;
}
