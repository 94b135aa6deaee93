import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { sha256 } from "../core/json.ts";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { replayCounts } from "../engine/replay.ts";
import type { Batch, Learner } from "../methods/method.ts";
import { parameters } from "../methods/networks/network.ts";
import { type PrimalDual, primalDual, type PrimalDualOptions } from "../methods/networks/primal_dual.ts";
import { primalDualL2 } from "../methods/primal_dual_l2.ts";
import { primalDualSinkhornAsPublished } from "../methods/primal_dual_sinkhorn_as_published.ts";
import type { Operator } from "../physics/operator.ts";
import { takenBlocks } from "./counted_heap.ts";
import { A, blobs, preparePrimalDual, primalDualMethods } from "./primal_dual_toy.ts";

await startBackend();

const { imageShape, measurementShape } = A;
const options: PrimalDualOptions = { imageShape, measurementShape, iterations: 2, copies: 3, width: 5 };

function normals(name: string, shape: readonly number[]): tf.Tensor {
  const rng = stream(`primal-dual/${name}`);
  const size = shape.reduce((product, extent) => product * extent, 1);
  return tf.tensor(Float32Array.from({ length: size }, () => rng.normal()), [...shape]);
}

function measurement(name: string, batch = 1): tf.Tensor4D {
  return normals(name, [batch, ...measurementShape]) as tf.Tensor4D;
}

/** Gives every weight, biases and slopes too, a random value. */
function shaken(network: PrimalDual): PrimalDual {
  for (const { name, variable } of network.weights) {
    tf.tidy(() => variable.assign(tf.mul(normals(name, variable.shape), 0.3)));
  }
  return network;
}

function close(a: tf.Tensor, b: tf.Tensor, tolerance: number): void {
  deepStrictEqual(a.shape, b.shape);
  const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]);
  ok(difference <= tolerance, `differs by ${difference}`);
}

Deno.test("a primal-dual network has the parameters and multiply-adds that were counted by hand", () => {
  using network = primalDual(options, stream("network"));
  // Filters (3 + 2)→5→5→3 for measurements and (3 + 1)→5→5→3 for images.
  const [dual, primal] = [9 * (5 * 5 + 5 * 5 + 5 * 3), 9 * (4 * 5 + 5 * 5 + 5 * 3)];
  const biasesAndSlopes = 5 + 5 + 3 + 5 + 5;
  strictEqual(parameters(network), 2 * (dual + primal + 2 * biasesAndSlopes));
  strictEqual(network.macs(imageShape), 2 * (20 * dual + 48 * primal));
});

Deno.test("a primal-dual network is the published iteration, here by stock ops on another backend", async () => {
  using network = shaken(primalDual(options, stream("network")));
  const weights = new Map(network.weights.map(({ name, variable }) => [name, {
    shape: variable.shape,
    data: variable.dataSync().slice(),
  }]));
  const own = tf.tidy(() => network.apply(measurement("y"), A).dataSync().slice());

  await startBackend({ name: "cpu" });
  tf.tidy(() => {
    const weight = (name: string) => tf.tensor(weights.get(name)!.data, weights.get(name)!.shape);
    const step = (name: string, x: tf.Tensor) =>
      [1, 2, 3].reduce((x, layer) => {
        const filter = weight(`${name}/${layer}`) as tf.Tensor4D;
        const sum = tf.add(tf.conv2d(x as tf.Tensor4D, filter, 1, "same"), weight(`${name}/${layer}/biases`));
        return layer === 3 ? sum : tf.prelu(sum, weight(`${name}/${layer}/slopes`));
      }, x);
    const channel = (x: tf.Tensor, index: number) => tf.slice(x, [0, 0, 0, index], [-1, -1, -1, 1]);
    const y = measurement("y");
    let f: tf.Tensor = tf.zeros([1, 6, 8, 3]), h: tf.Tensor = tf.zeros([1, 4, 5, 3]);
    for (const i of [1, 2]) {
      h = tf.add(h, step(`dual${i}`, tf.concat([h, A.forward(channel(f, 1)), y], 3)));
      f = tf.add(f, step(`primal${i}`, tf.concat([f, A.adjoint(channel(h, 0))], 3)));
    }
    close(tf.tensor(own, [1, 6, 8, 1]), channel(f, 0), 1e-5);
  });
  await startBackend();
});

Deno.test("a new primal-dual network has random filters of Glorot's deviation, and biases and slopes of 0", () => {
  using network = primalDual({ ...options, width: 48 }, stream("network"));
  const { weights } = network;
  const values = (name: string) => [...weights.find((weight) => weight.name === name)!.variable.dataSync()];
  const filter = values("dual1/2");
  const deviation = Math.sqrt(filter.reduce((sum, value) => sum + value ** 2, 0) / filter.length);
  // √(2 / (9·48 + 9·48)); 20736 draws have a standard error of 0.5 %.
  ok(Math.abs(deviation / Math.sqrt(1 / 432) - 1) < 0.02, `${deviation}`);
  for (const name of ["dual1/2/biases", "dual1/2/slopes", "primal2/3/biases"]) {
    ok(values(name).every((value) => value === 0), name);
  }
  ok(!weights.some(({ name }) => name === "dual1/3/slopes"));
});

Deno.test("a clamped primal-dual network gives max(f, 0), and what is below 0 still learns", () => {
  using plain = shaken(primalDual(options, stream("network")));
  using clamped = shaken(primalDual({ ...options, clamp: 0.03 }, stream("network")));
  tf.tidy(() => {
    const y = measurement("y");
    const image = plain.apply(y, A);
    const [least, most] = [tf.min(image).dataSync()[0], tf.max(image).dataSync()[0]];
    ok(least < -0.1 && most > 0.1, `${least} to ${most}`);
    close(clamped.apply(y, A), tf.relu(image), 0);
    const slope = (network: PrimalDual) => {
      const below = tf.sub(1, tf.step(image)) as tf.Tensor4D;
      const { grads } = tf.variableGrads(() => tf.sum(tf.mul(below, network.apply(y, A))));
      return grads[network.weights.find(({ name }) => name === "primal2/3/biases")!.variable.name];
    };
    close(slope(clamped), tf.mul(slope(plain), 0.03), 1e-6);
  });
});

Deno.test("a primal-dual network that computes its steps once more has the same output and gradients", () => {
  using kept = shaken(primalDual(options, stream("network")));
  using again = shaken(primalDual({ ...options, recompute: true }, stream("network")));
  tf.tidy(() => {
    const y = measurement("y", 2);
    const [one, other] = [kept, again].map((network) => {
      const { value, grads } = tf.variableGrads(() => tf.mean(tf.square(network.apply(y, A))));
      return { value, gradients: network.weights.map(({ variable }) => grads[variable.name]) };
    });
    close(other.value, one.value, 0);
    one.gradients.forEach((gradient, i) =>
      close(other.gradients[i], gradient, 1e-5 * tf.max(tf.abs(gradient)).dataSync()[0])
    );
  });
});

Deno.test("a primal-dual network treats the measurements of a batch one by one, of several channels too", () => {
  const doubled: Operator = {
    ...A,
    imageShape: [6, 8, 2],
    measurementShape: [4, 5, 2],
    forward: (x) => tf.tidy(() => tf.concat(tf.split(x, 2, 3).map(A.forward), 3)),
    adjoint: (y) => tf.tidy(() => tf.concat(tf.split(y, 2, 3).map(A.adjoint), 3)),
  };
  const shapes = { imageShape: doubled.imageShape, measurementShape: doubled.measurementShape };
  using network = shaken(primalDual({ ...options, ...shapes }, stream("network")));
  tf.tidy(() => {
    const [a, b] = ["a", "b"].map((name) => normals(name, [1, 4, 5, 2]) as tf.Tensor4D);
    const together = network.apply(tf.concat([a, b]), doubled);
    close(together, tf.concat([network.apply(a, doubled), network.apply(b, doubled)]), 1e-5);
    deepStrictEqual(together.shape, [2, 6, 8, 2]);
  });
});

Deno.test("a primal-dual network without its operator says so, and gives back all its memory", () => {
  const before = tf.memory().numTensors;
  {
    using network = primalDual(options, stream("network"));
    throws(
      () => tf.tidy(() => network.apply(measurement("y"), undefined as unknown as Operator)),
      /needs the operator/,
    );
    const y = measurement("y");
    tf.dispose([y, network.apply(y, A)]);
  }
  strictEqual(tf.memory().numTensors, before);
});

async function train(learner: Learner, updates: number, draw: () => Promise<Batch>): Promise<number[]> {
  const losses = [];
  for (let update = 0; update < updates; update++) {
    losses.push((await learner.update!(draw, update / updates)).reconstruction);
  }
  return losses;
}

for (
  const [method, overrides] of [...primalDualMethods.map((method) => [method, {}] as const), [primalDualL2, {
    recompute: true,
  }]] as const
) {
  Deno.test(`${method.name} ${JSON.stringify(overrides)} replays its steps to the bit of the tape, in batches of one and of two`, async () => {
    const run = async () => {
      using learner = preparePrimalDual(method, overrides);
      const losses = await train(learner, 12, blobs("one"));
      losses.push(...await train(learner, 6, blobs("two", 2)));
      const weights = await learner.weights();
      return [
        losses,
        await sha256(...weights.flatMap(({ name, data }) => [name, new Uint8Array(data.buffer)])),
      ];
    };
    const before = replayCounts();
    const replayed = await run();
    strictEqual(replayCounts().replayed - before.replayed, 10 + 4);
    await startBackend({ replay: false });
    deepStrictEqual(await run(), replayed);
    await startBackend();
  });
}

for (const method of primalDualMethods) {
  Deno.test(`${method.name} learns: its loss falls, and its reconstructions come nearer to the images`, async () => {
    using learner = preparePrimalDual(method, { iterations: 3, width: 8, rate: 5e-3 });
    const { x, y, see } = await blobs("test", 8)();
    const error = () =>
      tf.tidy(() => tf.mean(tf.abs(tf.sub(learner.reconstruct(y, { A, see }), x))).dataSync()[0]);
    const before = error();
    const losses = await train(learner, 300, blobs("train"));
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value) / values.length;
    ok(mean(losses.slice(-20)) < mean(losses.slice(0, 20)));
    ok(error() < 0.7 * before, `${error()} after ${before}`);
    tf.dispose([x, y]);
  });

  Deno.test(`${method.name} takes no memory from step to step, and gives all of it back`, async () => {
    const draw = blobs("memory");
    {
      using learner = preparePrimalDual(method);
      await train(learner, 4, draw);
    }
    const start = takenBlocks();
    {
      using learner = preparePrimalDual(method);
      await train(learner, 6, draw);
      const between = takenBlocks();
      await train(learner, 6, draw);
      strictEqual(takenBlocks(), between);
    }
    strictEqual(takenBlocks(), start);
  });
}

Deno.test("primal-dual methods refuse a batch without the operator", async () => {
  using learner = preparePrimalDual(primalDualL2);
  const draw = blobs("unknown");
  await rejects(
    learner.update!(async () => ({ ...await draw(), A: undefined }), 0),
    /knows the operator, but was given a batch without one/,
  );
});

Deno.test("the published Sinkhorn loss refuses the paper's literal ε as a setting", () => {
  throws(() => preparePrimalDual(primalDualSinkhornAsPublished, { epsilon: 1e-3 }), /between 0.1 and 100/);
});
