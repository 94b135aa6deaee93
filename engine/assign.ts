/** Giving a variable new values where it is. */

import * as tf from "@tensorflow/tfjs-core";
import { kernel } from "./kernel_names.ts";

/**
 * Copies `values` into `variable`, in its own memory where nobody else shares it, so that a recorded step
 * that does this can be replayed; `variable.assign` gives it the memory of the values instead. Borrows both.
 */
export function assign(variable: tf.Variable, values: tf.Tensor): void {
  const updated = tf.engine().runKernel(kernel.assign, { variable, values }) as tf.Tensor;
  variable.assign(updated);
  updated.dispose();
}
