/** The operator's own approximate inverse: a reconstruction without a prior. */

import { UsageError } from "../core/errors.ts";
import type { Tensor4D } from "../engine/tensor.ts";
import type { Method } from "../methods/method.ts";
import { untrained } from "./untrained.ts";

/**
 * Gives what the operator says is about the image, in the image's units: of a frame the frame, its light spread over finer
 * pixels. It is the input where networks are shown it in other units.
 */
export const approximateInverse: Method = {
  name: "approximate-inverse",
  about: "the measurement brought to the image’s grid, as it is",
  source: "the lower bound of every comparison",
  knows: { pairs: false, operator: "exactly" },
  settings: {},
  trains: false,
  effort: 0,
  prepare: () =>
    untrained((y, { A }) => {
      if (A?.approximateInverse !== undefined) return A.approximateInverse(y) as Tensor4D;
      throw new UsageError({
        what: "this benchmark's operator has no approximate inverse",
        fix: "take the row out with --methods",
      });
    }),
};
