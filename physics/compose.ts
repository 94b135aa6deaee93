/** One operator after another. */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { sameShape } from "../core/image.ts";
import type { Operator } from "./operator.ts";

/**
 * The operator B A: `first` A, `then` B, with the adjoint AᴴBᴴ.
 *
 * @throws {RangeError} where B does not take what A gives.
 */
export function compose(first: Operator, then: Operator): Operator {
  if (!sameShape(first.measurementShape, then.imageShape)) {
    throw new RangeError(explain({
      what:
        `"${then.name}" takes [${then.imageShape}], and "${first.name}" gives [${first.measurementShape}]`,
      where: "compose",
      fix: "make the second operator for the first one's measurements",
    }));
  }
  return {
    name: `${first.name} then ${then.name}`,
    settings: {
      first: { name: first.name, ...first.settings },
      then: { name: then.name, ...then.settings },
    },
    imageShape: first.imageShape,
    measurementShape: then.measurementShape,
    forward: (image) => tf.tidy(() => then.forward(first.forward(image))),
    adjoint: (measurement) => tf.tidy(() => first.adjoint(then.adjoint(measurement))),
  };
}
