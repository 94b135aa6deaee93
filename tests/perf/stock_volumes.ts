/** The supervised step of a U-Net of volumes as it would be written with TensorFlow.js alone: `tf.conv3d`, `tf.train.adam`. */

import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../../core/random.ts";
// The package's own gradients are not to be had under Deno, and lack those of three dimensions.
import "../../engine/stock_gradients.ts";

const attributes = { strides: [1, 1, 1], pad: "same", dataFormat: "NDHWC", dilations: [1, 1, 1] };

function run(name: string, inputs: tf.NamedTensorMap, more: tf.NamedAttrMap): tf.Tensor {
  return tf.engine().runKernel(name, inputs, { ...attributes, ...more }) as tf.Tensor;
}

tf.registerGradient({
  kernelName: "Conv3D",
  inputsToSave: ["x", "filter"],
  gradFunc: (dy, [x, filter]) => ({
    x: () => run("Conv3DBackpropInputV2", { dy: dy as tf.Tensor, filter }, { inputShape: x.shape }),
    filter: () => run("Conv3DBackpropFilterV2", { x, dy: dy as tf.Tensor }, { filterShape: filter.shape }),
  }),
});

function normalise(x: tf.Tensor): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x, [1, 2, 3], true));
  const variance = tf.mean(tf.square(centred), [1, 2, 3], true);
  return tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5)));
}

/** Each axis of space in pairs, one after the other, joined or doubled. */
function alongEach(x: tf.Tensor, f: (x: tf.Tensor, axis: number) => tf.Tensor): tf.Tensor {
  return [1, 2, 3].reduce(f, x);
}

const halve = (x: tf.Tensor) =>
  alongEach(x, (x, axis) => {
    const { shape } = x;
    return tf.mean(
      tf.reshape(x, [...shape.slice(0, axis), shape[axis] / 2, 2, ...shape.slice(axis + 1)]),
      axis + 1,
    );
  });

const double = (x: tf.Tensor) =>
  alongEach(x, (x, axis) => {
    const { shape } = x;
    const each = tf.expandDims(x, axis + 1);
    const doubled = shape.map((extent, other) => other === axis ? 2 * extent : extent);
    return tf.reshape(tf.concat([each, each], axis + 1), doubled);
  });

/** A step of a residual U-Net of two levels and its L1 loss, on cubes of one channel. */
export function stockVolumeStep({ size, width }: { size: number; width: number }): () => Promise<void> {
  const rng = stream("perf/stock-volumes");
  const filter = (side: number, from: number, to: number) => {
    const count = side ** 3 * from * to;
    const values = Float32Array.from({ length: count }, () => rng.normal() / Math.sqrt(3 * side ** 3 * from));
    return tf.variable(tf.tensor5d(values, [side, side, side, from, to]));
  };
  const pair = (from: number, to: number) => [filter(3, from, to), filter(3, to, to)];
  const down = [pair(1, width), pair(width, 2 * width), pair(2 * width, 4 * width)];
  const up = [pair(3 * width, width), pair(6 * width, 2 * width)];
  const last = filter(1, width, 1);

  const layer = (x: tf.Tensor, filter: tf.Tensor) => {
    const y = normalise(tf.conv3d(x as tf.Tensor5D, filter as tf.Tensor5D, 1, "same"));
    return tf.maximum(y, tf.mul(y, 0.2));
  };
  const from = (x: tf.Tensor, level: number): tf.Tensor => {
    const skip = down[level].reduce(layer, x);
    return level === 2
      ? skip
      : up[level].reduce(layer, tf.concat([skip, double(from(halve(skip), level + 1))], 4));
  };
  const [x, y] = [0, 1].map(() => Float32Array.from({ length: size ** 3 }, () => rng.normal()));
  const optimiser = tf.train.adam(1e-3, 0.5, 0.9);
  return async () => {
    const loss = tf.tidy(() => {
      const [image, seen] = [x, y].map((values) => tf.tensor5d(values, [1, size, size, size, 1]));
      return optimiser.minimize(() => {
        const made = tf.add(
          seen,
          tf.conv3d(from(seen, 0) as tf.Tensor5D, last as tf.Tensor as tf.Tensor5D, 1, "same"),
        );
        return tf.mean(tf.abs(tf.sub(made, image)));
      }, true)!;
    });
    await loss.data();
    loss.dispose();
  };
}
