/** A tensor that no gradient flows through. */

import * as tf from "@tensorflow/tfjs-core";

/** The same values as a tensor of its own that no gradient flows through; no data is copied. */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  // An Identity that the tape does not see: the kernel adds a reference to the data, the engine wraps it.
  const engine = tf.engine();
  const identity = tf.getKernel("Identity", engine.backendName);
  const info = identity.kernelFunc({ inputs: { x }, attrs: {}, backend: engine.backend });
  return engine.makeTensorFromTensorInfo(info as tf.TensorInfo) as T;
}
