import { deepStrictEqual, notStrictEqual, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { sha256 } from "../core/json.ts";
import { sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { resolve } from "../core/settings.ts";
import { startBackend } from "../engine/backend.ts";
import { supervised } from "../methods/supervised.ts";
import { convolution } from "../physics/convolution.ts";
import { fieldOf } from "../physics/field.ts";
import type { Shape } from "../physics/operator.ts";
import { small } from "./toy_problem.ts";

await startBackend();

/** A convolution that does nothing but look at the middle of images. */
function looking(imageShape: Shape, measurementShape: Shape) {
  const kernelShape = imageShape.map((_, axis) => axis === imageShape.length - 1 ? 1 : 3);
  const data = new Float32Array(sizeOf(kernelShape));
  data[(data.length - 1) / 2] = 1;
  return convolution({ imageShape, measurementShape, kernelShape }, { shape: kernelShape, data });
}

function numbers(name: string, shape: Shape): tf.Tensor4D {
  const rng = stream(`field/${name}`);
  return tf.tensor<tf.Rank>(Float32Array.from({ length: sizeOf(shape) }, rng.normal), [
    ...shape,
  ]) as tf.Tensor4D;
}

Deno.test("the field of view of an image is where the measurement was made, in the plane and in space, whatever is odd", () => {
  for (
    const [image, measurement] of [
      [[12, 13, 1], [8, 8, 1]],
      [[9, 10, 1], [7, 8, 1]],
      [[8, 12, 13, 1], [5, 8, 9, 1]],
    ]
  ) {
    tf.tidy(() => {
      const A = looking(image, measurement);
      const x = numbers("x", [2, ...image]);
      deepStrictEqual(fieldOf(x, A).dataSync(), A.forward(x).dataSync());
      const y = numbers("y", [2, ...measurement]);
      deepStrictEqual(fieldOf(A.approximateInverse!(y), A).dataSync(), y.dataSync());
    });
  }
});

Deno.test("patches that were cut out before are all field", () => {
  tf.tidy(() => {
    const patch = numbers("patch", [1, 8, 8, 1]);
    deepStrictEqual(fieldOf(patch, looking([12, 12, 1], [8, 8, 1])).shape, patch.shape);
  });
});

Deno.test("training does not ask what lies beyond the field of view", async () => {
  const shape = [24, 24, 1];
  const A = looking(shape, [16, 16, 1]);
  const inside = tf.tidy(() => tf.pad(tf.ones([1, 16, 16, 1]), [[0, 0], [4, 4], [4, 4], [0, 0]]));
  const hash = async (beyond: number, field: boolean) => {
    const problem = { imageShape: shape, seenShape: shape, measurementShape: shape, updates: 4, batch: 1 };
    const own = Object.entries(small).filter(([name]) => name in supervised.settings);
    using learner = supervised.prepare(
      problem,
      resolve(supervised.settings, Object.fromEntries(own), supervised.name),
      stream("field"),
    );
    for (let update = 0; update < 4; update++) {
      await learner.update!(() => {
        const y = numbers(`y${update}`, [1, ...shape]);
        const x = tf.tidy(() =>
          tf.add(tf.mul(inside, numbers(`x${update}`, y.shape)), tf.mul(tf.sub(1, inside), beyond))
        );
        return Promise.resolve({
          x: x as tf.Tensor4D,
          y,
          A: undefined,
          see: (y) => tf.clone(y) as tf.Tensor4D,
          ...field && { field: (image: tf.Tensor) => fieldOf(image, A) },
        });
      }, 0);
    }
    const weights = await learner.weights();
    return sha256(...weights.flatMap(({ name, data }) => [name, new Uint8Array(data.buffer)]));
  };
  strictEqual(await hash(7, true), await hash(-3, true));
  notStrictEqual(await hash(7, false), await hash(-3, false));
  inside.dispose();
});
