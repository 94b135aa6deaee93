/**
 * Memory for time: intermediate results that are computed a second time instead of being kept for the
 * backward pass.
 */

import * as tf from "@tensorflow/tfjs-core";

/**
 * f(…inputs, …constants). The tape keeps these alone; in the backward pass f is computed once more, with a
 * tape of its own that ends with it (Chen et al. 2016, arXiv:1604.06174). Values and gradients are those
 * without it. It can be differentiated once.
 *
 * @param inputs All that a gradient is to flow to, variables too; f has to depend on each.
 * @param constants What else f is made of, but for what outlives the backward pass anyway.
 */
export function recomputed<T extends tf.Tensor>(
  f: (...tensors: tf.Tensor[]) => T,
  inputs: readonly tf.Tensor[],
  constants: readonly tf.Tensor[] = [],
): T {
  const run = tf.customGrad((...given) => {
    const save = given.pop() as (tensors: tf.Tensor[]) => void;
    const tensors = given as tf.Tensor[];
    save([...tensors, ...constants]);
    return {
      value: f(...tensors, ...constants),
      gradFunc: (g, saved) => {
        const kept = (saved as tf.Tensor[]).slice(inputs.length);
        return withTapeOfItsOwn(() =>
          tf.grads((...again) => f(...again, ...kept))(saved.slice(0, inputs.length) as tf.Tensor[], g)
        );
      },
    };
  });
  return run(...inputs) as T;
}

/**
 * A gradient within the backward pass of another: TensorFlow.js would take the inner one's end for the end of
 * both.
 */
function withTapeOfItsOwn<T>(differentiate: () => T): T {
  const { state } = tf.engine();
  const outer = state.activeTape;
  try {
    return differentiate();
  } finally {
    state.activeTape = outer;
  }
}
