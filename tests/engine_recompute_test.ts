import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { conv2d, instanceNorm, leakyRelu } from "../engine/ops.ts";
import { recomputed } from "../engine/recompute.ts";
import { input, output, Replay } from "../engine/replay.ts";

await startBackend();

function normals(name: string, shape: [number, number, number, number]): tf.Tensor4D {
  const rng = stream(`engine-recompute/${name}`);
  const size = shape.reduce((product, extent) => product * extent);
  return tf.tensor4d(Float32Array.from({ length: size }, () => rng.normal()), shape);
}

/** Ten layers, all with the same filter. */
function layers(x: tf.Tensor, filter: tf.Tensor): tf.Tensor {
  for (let layer = 0; layer < 10; layer++) {
    x = leakyRelu(instanceNorm(conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, { padding: 1 })));
  }
  return x;
}

type Loss = (x: tf.Tensor, filter: tf.Tensor) => tf.Scalar;
const kept: Loss = (x, filter) => tf.mean(tf.square(layers(layers(x, filter), filter)));
const again: Loss = (x, filter) =>
  tf.mean(tf.square(recomputed(layers, [recomputed(layers, [x, filter]), filter])));

Deno.test("what is computed once more has the value and the gradients of what is kept", () => {
  tf.tidy(() => {
    const inputs = [normals("x", [1, 8, 8, 4]), normals("filter", [3, 3, 4, 4])];
    const [one, other] = [kept, again].map((loss) =>
      tf.valueAndGrads(loss as (...inputs: tf.Tensor[]) => tf.Scalar)(inputs)
    );
    deepStrictEqual(other.value.dataSync(), one.value.dataSync());
    one.grads.forEach((gradient, i) => {
      const size = tf.max(tf.abs(gradient)).dataSync()[0];
      const error = tf.max(tf.abs(tf.sub(gradient, other.grads[i]))).dataSync()[0];
      ok(size > 0 && error <= 1e-5 * size, `${error} of ${size}`);
    });
  });
});

Deno.test("the tape keeps the inputs alone", () => {
  const most = (loss: Loss) => {
    let tensors = 0;
    tf.tidy(() => {
      const [x, filter] = [normals("x", [1, 8, 8, 4]), normals("filter", [3, 3, 4, 4])];
      tf.grads((x, filter) => {
        const value = tf.tidy(() => loss(x, filter));
        tensors = tf.memory().numTensors;
        return value;
      })([x, filter]);
    });
    return tensors;
  };
  ok(most(kept) > 60, `${most(kept)}`);
  ok(most(again) < 20, `${most(again)}`);
});

Deno.test("it is replayed to the bit, in steps that move variables too", async () => {
  const trained = () => {
    using replay = new Replay("recomputing");
    const filter = tf.tidy(() => tf.variable(normals("filter", [3, 3, 4, 4])));
    const made: number[][] = [];
    let run = 0;
    for (; run < 5; run++) {
      tf.dispose(tf.tidy(() =>
        replay.run([], () => {
          const x = input(() => normals(String(run), [1, 8, 8, 4]));
          const { value, grads } = tf.variableGrads(() => again(x, filter), [filter]);
          output(grads[filter.name], (copy) => made.push([...copy.dataSync()]));
          return value;
        })
      ));
    }
    filter.dispose();
    return { made, replayed: replay.counts.replayed };
  };
  const before = tf.memory().numTensors;
  const { made, replayed } = trained();
  strictEqual(replayed, 3);
  await startBackend({ replay: false });
  deepStrictEqual(trained(), { made, replayed: 0 });
  await startBackend();
  strictEqual(tf.memory().numTensors, before);
});
