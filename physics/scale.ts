/** An operator times a number. */

import * as tf from "@tensorflow/tfjs-core";
import type { Operator } from "./operator.ts";

/** factor·A, so that e.g. its norm is 1; `factor` is positive. */
export function scaledOperator(operator: Operator, factor: number): Operator {
  const { approximateInverse: inverse, norm = 1 } = operator;
  return {
    ...operator,
    settings: { ...operator.settings, factor },
    norm: factor * norm,
    forward: (image) => tf.tidy(() => tf.mul(operator.forward(image), factor)),
    adjoint: (measurement) => tf.tidy(() => tf.mul(operator.adjoint(measurement), factor)),
    ...(inverse && {
      approximateInverse: (measurement) => tf.tidy(() => tf.mul(inverse(measurement), 1 / factor)),
    }),
  };
}
