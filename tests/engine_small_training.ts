/**
 * A few updates of a small generator and its critic, with every op of the engine and a gradient of a gradient, recorded
 * and replayed but with --tape. Prints the SHA-256 of the weights: `engine_determinism_test.ts` runs it in processes of its
 * own, under several V8 settings.
 *
 *     deno run -A tests/engine_small_training.ts [--portable] [--tape]
 */

import * as tf from "@tensorflow/tfjs-core";
import { sha256 } from "../core/json.ts";
import { type Rng, stream } from "../core/random.ts";
import { Adam } from "../engine/adam.ts";
import { startBackend } from "../engine/backend.ts";
import * as ops from "../engine/ops.ts";
import * as volumes from "../engine/volumes.ts";
import { input, Replay } from "../engine/replay.ts";

type Shape = [number, number, number, number];

function draw(rng: Rng, shape: Shape, scale = 1): tf.Tensor4D {
  const size = shape.reduce((product, extent) => product * extent);
  return tf.tensor4d(Float32Array.from({ length: size }, () => scale * rng.normal()), shape);
}

function makeFilters(name: string, shapes: Shape[]): tf.Variable<tf.Rank.R4>[] {
  return shapes.map((shape, i) =>
    tf.tidy(() =>
      tf.variable(draw(stream(`${name}/${i}`), shape, (2 / (shape[0] * shape[1] * shape[2])) ** 0.5))
    )
  );
}

await startBackend({ portable: Deno.args.includes("--portable"), replay: !Deno.args.includes("--tape") });
const generator = makeFilters("generator", [[3, 3, 2, 8], [3, 3, 8, 12], [3, 3, 12, 12], [3, 3, 20, 8], [
  1,
  1,
  8,
  2,
]]);
const critic = makeFilters("critic", [[4, 4, 2, 5], [4, 4, 5, 8], [3, 3, 8, 1], [4, 4, 8, 4], [3, 3, 24, 8]]);

function generate(y: tf.Tensor4D): tf.Tensor4D {
  const layer = (x: tf.Tensor4D, i: number) =>
    ops.leakyRelu(ops.instanceNorm(ops.conv2d(x, generator[i], { padding: 1 })));
  const shallow = layer(y, 0);
  const deep = layer(layer(ops.averagePool2(shallow), 1), 2);
  const joined = layer(ops.concatChannels(shallow, ops.upsample2(deep)), 3);
  return tf.add(y, ops.conv2d(joined, generator[4]));
}

function criticise(x: tf.Tensor4D): tf.Scalar {
  const strided = (x: tf.Tensor4D, i: number) => ops.conv2d(x, critic[i], { stride: 2, padding: 1 });
  const first = ops.leakyRelu(strided(x, 0));
  const second = ops.maxPool2(ops.upsample2(ops.leakyRelu(ops.instanceNorm(strided(first, 1)))));
  return tf.add(tf.mean(ops.conv2d(second, critic[2], { padding: 1 })), criticiseVolume(x));
}

/** The image's values as a volume's, so that ops on volumes have a say. */
function criticiseVolume(x: tf.Tensor4D): tf.Scalar {
  const volume = tf.reshape(x, [1, 8, 8, 4, 2]) as tf.Tensor as tf.Tensor4D;
  const first = volumes.convolve(volume, critic[3], { stride: 2, padding: 1 });
  const joined = volumes.joinUpsampled(first, volumes.averagePool(first));
  const second = volumes.normalise(volumes.convolve(joined, critic[4], { padding: 1 }), { slope: 0.2 });
  return tf.mean(tf.square(volumes.maxPool(second)));
}

function penalty(x: tf.Tensor4D): tf.Scalar {
  const slope = tf.grad((x: tf.Tensor) => criticise(x as tf.Tensor4D))(x);
  return tf.square(tf.sub(tf.sqrt(tf.add(tf.sum(tf.square(slope)), 1e-12)), 1));
}

function minimise(replay: Replay, adam: Adam, variables: tf.Variable[], loss: () => tf.Scalar): void {
  replay.run([], () => {
    const { value, grads } = tf.variableGrads(loss, variables);
    adam.step(variables, variables.map(({ name }) => grads[name]), 1e-3);
    return value;
  }).dispose();
}

using generatorAdam = new Adam({ beta1: 0.5, beta2: 0.9 });
using criticAdam = new Adam({ beta1: 0.5, beta2: 0.9 });
using generatorSteps = new Replay("generator");
using criticSteps = new Replay("critic");
const rng = stream("samples");
let images: tf.Tensor4D, measurements: tf.Tensor4D;
for (let update = 0; update < 25; update++) {
  tf.tidy(() => {
    [images, measurements] = [draw(rng, [1, 16, 16, 2]), draw(rng, [1, 16, 16, 2])];
    const both = () => [input(() => images), input(() => measurements)];
    minimise(criticSteps, criticAdam, critic, () => {
      const [x, y] = both();
      const fake = generate(y);
      const between = tf.add(tf.mul(x, 0.3), tf.mul(fake, 0.7)) as tf.Tensor4D;
      return tf.add(tf.sub(criticise(fake), criticise(x)), tf.mul(penalty(between), 10));
    });
    minimise(generatorSteps, generatorAdam, generator, () => {
      const [x, y] = both();
      const fake = generate(y);
      const cycle = tf.add(tf.mul(ops.l1(fake, x), 10), ops.l2(fake, y));
      return tf.sub(cycle, criticise(fake));
    });
  });
}
const values = [...generator, ...critic].map((variable) => variable.dataSync<"float32">());
if (!values.every((part) => part.every(Number.isFinite))) throw new Error("the small training diverged");
console.log(sha256(...values.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength))));
