import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../core/image.ts";
import { sha256 } from "../core/json.ts";
import { stream } from "../core/random.ts";
import { resolve } from "../core/settings.ts";
import { startBackend } from "../engine/backend.ts";
import { l1 } from "../engine/ops.ts";
import { replayCounts } from "../engine/replay.ts";
import { generator, generatorSettings } from "../methods/generator.ts";
import type { Batch, Learner, Method } from "../methods/method.ts";
import { otCycleGan } from "../methods/ot_cyclegan.ts";
import { defineMethod, trainingSettings } from "../methods/training.ts";
import type { Operator, Shape } from "../physics/operator.ts";
import { maskedFourier } from "../physics/fourier.ts";
import { multiCoilFourier } from "../physics/coils.ts";
import { takenBlocks } from "./counted_heap.ts";
import { prepareToy, small, toyBatches } from "./toy_problem.ts";
import { trainedMethods as methods } from "./trained_methods.ts";

/** Batches of one image and, in the middle and at the end, of two. */
function batchesOfTwoSizes(matched: boolean): () => Promise<Batch> {
  const [one, two] = [1, 2].map((batch) => toyBatches(`of ${batch}`, { batch, matched }));
  let drawn = 0;
  return () => [5, 6, 7, 13, 14].includes(drawn++) ? two() : one();
}

async function train(learner: Learner, updates: number, draw: () => Promise<Batch>) {
  const log = [];
  for (let update = 0; update < updates; update++) log.push(await learner.update!(draw, update / updates));
  return log;
}

/** The losses of each update, and the hash of the weights at the end. */
async function trained(method: Method, overrides = {}) {
  using learner = prepareToy(method, { pool: 3, ...overrides });
  return { log: await train(learner, 16, batchesOfTwoSizes(method.knows.pairs)), hash: await hash(learner) };
}

async function hash(learner: Learner): Promise<string> {
  const weights = await learner.weights();
  return sha256(...weights.flatMap(({ name, data }) => [name, new Uint8Array(data.buffer)]));
}

for (const method of methods) {
  for (
    const overrides of [{}, { freshCriticBatches: true, criticUpdates: 2, criticNorm: false, loss: "l2" }]
  ) {
    const settings = JSON.stringify(overrides);
    Deno.test(`${method.name} replays its steps to the bit of the tape, ${settings}`, async () => {
      const before = replayCounts();
      const replayed = await trained(method, overrides);
      const after = replayCounts();
      ok(after.replayed - before.replayed >= 9, JSON.stringify(after));
      await startBackend({ replay: false });
      deepStrictEqual(await trained(method, overrides), replayed);
      strictEqual(replayCounts().replayed, after.replayed);
      await startBackend();
    });
  }
}

for (const method of methods) {
  Deno.test(`${method.name} takes no more memory when steps are replayed, and gives all of it back`, async () => {
    const draw = toyBatches("measured");
    {
      using learner = prepareToy(method, { pool: 2 });
      await train(learner, 4, draw);
    } // constants of the operator and the kernels' scratch memory stay
    const start = takenBlocks();
    {
      using learner = prepareToy(method, { pool: 2 });
      await train(learner, 6, draw);
      const between = takenBlocks();
      await train(learner, 6, draw);
      strictEqual(takenBlocks(), between);
    }
    strictEqual(takenBlocks(), start);
  });
}

/** Random batches of one operator and ragged size, which networks pad and crop. */
function raggedBatches(A: Operator): () => Promise<Batch> {
  const rng = stream("replay/ragged");
  const draw = (shape: Shape) =>
    tf.tensor4d(Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()), [
      1,
      ...shape as [number, number, number],
    ]);
  return () =>
    Promise.resolve({
      A,
      x: draw(A.imageShape),
      y: draw(A.measurementShape),
      see: (y) => A.adjoint(y) as tf.Tensor4D,
    });
}

for (const coils of [1, 3]) {
  Deno.test(`ragged images of an MRI with ${coils} coils are replayed to the bit, one recording an operator`, async () => {
    const operators = [[0, 3, 4, 5], [1, 3, 4, 5, 6]].map((lines) => {
      if (coils === 1) return maskedFourier(11, 9, lines);
      const rng = stream("replay/sensitivities");
      const data = Float32Array.from({ length: 11 * 9 * 2 * coils }, () => rng.normal() / 4);
      return multiCoilFourier({ shape: [11, 9, 2 * coils], data }, lines);
    });
    const [{ imageShape, measurementShape }] = operators;
    const problem = { imageShape, measurementShape, seenShape: imageShape, updates: 40, batch: 1 };
    const trained = async () => {
      const settings = resolve(otCycleGan.settings, small, otCycleGan.name);
      using learner = otCycleGan.prepare(problem, settings, stream("replay"));
      const [first, second] = operators.map(raggedBatches);
      let drawn = 0;
      await train(learner, 12, () => drawn++ % 3 === 2 ? second() : first());
      return await hash(learner);
    };
    const before = replayCounts();
    const replayed = await trained();
    const after = replayCounts();
    // Two steps; two operators, of which each is recorded twice.
    deepStrictEqual([after.recorded - before.recorded, after.replayed - before.replayed], [8, 16]);
    await startBackend({ replay: false });
    strictEqual(await trained(), replayed);
    await startBackend();
  });
}

Deno.test("a method with an op that cannot be replayed says so in its first update, and trains without replay", async () => {
  const method: Method = defineMethod({
    name: "planted",
    about: "",
    source: "",
    effort: 1,
    settings: { ...generatorSettings, ...trainingSettings },
    knows: { pairs: true, operator: "nothing" },
    networks: (set, { imageShape }, rng) => ({ G: generator(set, imageShape, imageShape, rng.stream("G")) }),
    losses: { generator: ({ G }, { x, y, see }) => l1(x, tf.mul(G.apply(see(y)), tf.exp(tf.max(y)))) },
    steps: () => [{ minimise: "generator", over: ["G"], rate: 1e-3 }],
    reconstructs: "G",
  });
  const draw = toyBatches("planted", { matched: true });
  {
    using learner = prepareToy(method);
    await rejects(learner.update!(draw, 0), /Max cannot be replayed.*--no-replay/s);
  }
  await startBackend({ replay: false });
  using learner = prepareToy(method);
  ok((await train(learner, 2, draw)).every(({ generator }) => Number.isFinite(generator)));
  await startBackend();
});
