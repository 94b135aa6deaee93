/** Close bounds of operator norms. */

import * as tf from "@tensorflow/tfjs-core";
import type { Operator } from "./operator.ts";

// Closer than a hundredth is of no use to a step size; float32 rounds far below the margin that is added.
const enough = 1.01;
const mostSteps = 50;
const margin = 1e-4;

/**
 * The operator, with the least bound of its norm that a power iteration finds: at most 1 % above the norm as
 * a rule. For operators that are matrices of non-negative numbers, such as ray transforms and blurs.
 *
 * From x = 1 on, x ← AᵀA x. Each step bounds the norm from both sides,
 *
 *     ⟨x, AᵀA x⟩ / ⟨x, x⟩  ≤  ‖A‖²  ≤  max_i (AᵀA x)_i / x_i,
 *
 * the latter because AᵀA has no negative entry and x is positive (Collatz 1942, doi:10.1007/BF01180013). So what is
 * returned is a bound however early the iteration ends.
 */
export async function withNorm(operator: Operator): Promise<Operator> {
  let x = tf.ones([1, ...operator.imageShape]);
  let bound = Infinity;
  for (let step = 0; step < mostSteps; step++) {
    const z = tf.tidy(() => operator.adjoint(operator.forward(x)));
    const [before, after] = [await x.data(), await z.data()];
    let [most, size, along, largest] = [0, 0, 0, 0];
    for (let i = 0; i < before.length; i++) {
      size += before[i] ** 2;
      along += before[i] * after[i];
      largest = Math.max(largest, after[i]);
      // What no measurement sees is 0 from the first step on.
      if (before[i] > 0) most = Math.max(most, after[i] / before[i]);
    }
    bound = Math.min(bound, most);
    x.dispose();
    x = tf.tidy(() => tf.div(z, largest));
    z.dispose();
    if (bound <= enough ** 2 * along / size) break;
  }
  x.dispose();
  return { ...operator, norm: Math.sqrt(bound) * (1 + margin) };
}
