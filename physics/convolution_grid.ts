/** Where images, kernels and measurements of a convolution with valid borders lie on one another. */

import { explain } from "../core/errors.ts";
import type { Shape } from "./operator.ts";

/** Extents `[depth, height, width]`; an image in the plane has a depth of 1. */
export type Extents = readonly [depth: number, height: number, width: number];

/** The three on one grid. */
export interface Grid {
  readonly image: Extents;
  readonly kernel: Extents;
  readonly measurement: Extents;
  /** The first pixel of the image that the measurement depends on. */
  readonly first: Extents;
  /** How many pixels along each axis it depends on. */
  readonly reach: Extents;
}

/**
 * The grid of images, kernels and measurements of these shapes, `[height, width, 1]` or `[depth, height, width, 1]`.
 *
 * @throws {RangeError} where they do not belong together, and says why.
 */
export function gridOf(imageShape: Shape, kernelShape: Shape, measurementShape: Shape): Grid {
  const shapes = { image: imageShape, kernel: kernelShape, measurement: measurementShape };
  const refuse = (what: string, fix: string): never => {
    throw new RangeError(explain({ what, where: "convolution", fix }));
  };
  for (const [name, shape] of Object.entries(shapes)) {
    const planeOrVolume = shape.length === imageShape.length && (shape.length === 3 || shape.length === 4);
    const whole = shape.every((extent) => Number.isInteger(extent) && extent >= 1);
    if (planeOrVolume && whole && shape.at(-1) === 1) continue;
    refuse(
      `the ${name} [${shape}] of images [${imageShape}]`,
      "give all three as [height, width, 1] or all as [depth, height, width, 1]",
    );
  }
  if (kernelShape.some((extent) => extent % 2 === 0)) {
    refuse(`a kernel [${kernelShape}] has no middle pixel`, "give odd extents");
  }
  const reach = measurementShape.map((extent, axis) => extent + kernelShape[axis] - 1);
  if (reach.some((extent, axis) => extent > imageShape[axis])) {
    refuse(
      `a measurement [${measurementShape}] by a kernel [${kernelShape}] needs images of at least [${reach}], ` +
        `not [${imageShape}]`,
      "give larger images, or a smaller kernel or measurement",
    );
  }
  const first = imageShape.map((extent, axis) => Math.floor((extent - reach[axis]) / 2));
  return {
    image: extentsOf(imageShape, 1),
    kernel: extentsOf(kernelShape, 1),
    measurement: extentsOf(measurementShape, 1),
    first: extentsOf(first, 0),
    reach: extentsOf(reach, 1),
  };
}

function extentsOf(shape: Shape, depth: number): Extents {
  const [height, width] = shape.slice(-3);
  return [shape.length === 4 ? shape[0] : depth, height, width];
}
