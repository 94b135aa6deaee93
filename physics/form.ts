/**
 * What is known of an operator up to its kernel: Table 1(b) of Sim et al. 2020 (arXiv:1909.12116), where H is a convolution
 * and its kernel is learned with the networks.
 */

import type { Tensor } from "../engine/tensor.ts";
import type { Operator, Shape } from "./operator.ts";

/** The grids, the borders and the sampling of an operator; everything but its kernel. */
export interface Form {
  /** Shape of an image, without the batch. */
  readonly imageShape: Shape;
  /** Shape of a measurement, without the batch. */
  readonly measurementShape: Shape;
  /** `[height, width, 1]` or `[depth, height, width, 1]`, odd extents, in pixels of the image. */
  readonly kernelShape: Shape;
  /**
   * The operator whose kernel is what `kernel` gives each time that it is applied: a tensor of `kernelShape`, which the
   * operator owns from then on. It is differentiable in the kernel.
   */
  operator(kernel: () => Tensor): Operator;
}
