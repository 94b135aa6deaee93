import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { sha256 } from "../core/json.ts";
import { stream } from "../core/random.ts";
import { resolve } from "../core/settings.ts";
import { benchmarks } from "../commands/suite.ts";
import { startBackend } from "../engine/backend.ts";
import { l1 } from "../engine/ops.ts";
import { criticSettings } from "../methods/critic.ts";
import { cycleGan } from "../methods/cyclegan.ts";
import { generator, generatorSettings } from "../methods/generator.ts";
import {
  cycleSettings,
  generatorThenCritic,
  knownOperator,
  transportLoss,
} from "../methods/known_operator.ts";
import type { Batch, Learner, Method } from "../methods/method.ts";
import { noiseMatching } from "../methods/noise_matching.ts";
import { otCycleGan } from "../methods/ot_cyclegan.ts";
import { otCycleGanBlindGaussian } from "../methods/ot_cyclegan_blind_gaussian.ts";
import { otCycleGanFrozenNoise } from "../methods/ot_cyclegan_frozen_noise.ts";
import { otCycleGanNoAdversary } from "../methods/ot_cyclegan_no_adversary.ts";
import { redCnn } from "../methods/red_cnn.ts";
import { spectrumMatching } from "../methods/spectrum_matching.ts";
import { supervised } from "../methods/supervised.ts";
import { defineMethod, scheduled, trainingSettings } from "../methods/training.ts";
import { wgan } from "../methods/wgan.ts";
import { fadingColumns, prepareToy, small, toyBatches, toyProblem } from "./toy_problem.ts";
import { trainedMethods as methods } from "./trained_methods.ts";

await startBackend();

/** Methods whose F is no network that steps move. */
const withoutNoiseSteps: readonly Method[] = [otCycleGanFrozenNoise, noiseMatching];

async function train(learner: Learner, updates: number, draw = toyBatches("training")) {
  const log = [];
  for (let update = 0; update < updates; update++) log.push(await learner.update!(draw, update / updates));
  return log;
}

async function hash(learner: Learner): Promise<string> {
  const weights = await learner.weights();
  return sha256(...weights.flatMap(({ name, data }) => [name, new Uint8Array(data.buffer)]));
}

async function meanError(learner: Learner): Promise<number> {
  const draw = toyBatches("test", { matched: true });
  let sum = 0;
  for (let i = 0; i < 8; i++) {
    const { x, y, A, see } = await draw();
    sum += tf.tidy(() => l1(x, learner.reconstruct(y, { A, see })).dataSync()[0]) / 8;
    tf.dispose([x, y]);
  }
  return sum;
}

/** Those have tests of their own. */
const elsewhere = /^(primal-dual-.*|deep-storm-falcon)$/;

Deno.test("no trained row of any benchmark is without these tests, but for some that have their own", () => {
  const rows = benchmarks.flatMap(({ rows, byName }) => [...rows, ...byName]);
  const missing = rows.filter(({ method }) => method.trains && !methods.includes(method)).map(({ name }) =>
    name
  );
  deepStrictEqual(missing.filter((name) => !elsewhere.test(name)), []);
});

for (const method of methods) {
  Deno.test(`${method.name} goes on from a state to the same bits, on the tape or replayed`, async () => {
    const draws = async (name: string, skip: number) => {
      const draw = toyBatches(name);
      for (let i = 0; i < skip; i++) {
        const { x, y } = await draw();
        tf.dispose([x, y]);
      }
      return draw;
    };
    const settings = { pool: 2 };
    using whole = prepareToy(method, settings);
    const draw = toyBatches("resumed");
    let drawn = 0;
    const counted = () => (drawn++, draw());
    await train(whole, 4, counted);
    const state = await whole.state!();
    const [at, kept] = [drawn, JSON.stringify(state.rest)];
    const expected = await train(whole, 5, counted);
    strictEqual(JSON.stringify(state.rest), kept, "a state is a copy");

    const start = tf.memory().numTensors;
    {
      using resumed = prepareToy(method, settings);
      await train(resumed, 1, toyBatches("something else"));
      resumed.restore!(state);
      deepStrictEqual(await train(resumed, 5, await draws("resumed", at)), expected);
      strictEqual(await hash(resumed), await hash(whole));
    }
    strictEqual(tf.memory().numTensors, start);
  });

  Deno.test(`${method.name} leaves no tensor behind, in an update, a look at validation data, or a reconstruction`, async () => {
    const start = tf.memory().numTensors;
    {
      using learner = prepareToy(method, { pool: 2 });
      // Optimisers make their moments in the first update, and pools are full after the second.
      await train(learner, 3);
      const between = tf.memory().numTensors;
      await train(learner, 2, toyBatches("more"));
      const batch = await toyBatches("validation")();
      await learner.monitor?.(batch);
      learner.reconstruct(batch.y, batch).dispose();
      tf.dispose([batch.x, batch.y]);
      strictEqual(tf.memory().numTensors, between);
    }
    strictEqual(tf.memory().numTensors, start);
  });

  Deno.test(`${method.name} is the same to the bit for the same seed and batches, and another for another seed`, async () => {
    const trained = async (seed: string) => {
      using learner = prepareToy(method, { pool: 2 }, seed);
      const log = await train(learner, 4);
      return { log, hash: await hash(learner) };
    };
    const first = await trained("one");
    deepStrictEqual(await trained("one"), first);
    notStrictEqual((await trained("two")).hash, first.hash);
    ok(first.log.every((losses) => Object.values(losses).every(Number.isFinite)));
  });

  Deno.test(`${method.name} updates from batches of several images, and reconstructs images of any size`, async () => {
    using learner = prepareToy(method);
    await train(learner, 1, toyBatches("three", { batch: 3, matched: method.knows.pairs }));
    const y = tf.ones<tf.Rank.R4>([2, 13, 9, 2]);
    const image = learner.reconstruct(y, { A: fadingColumns(), see: (y) => tf.clone(y) as tf.Tensor4D });
    deepStrictEqual(image.shape, y.shape);
    tf.dispose([y, image]);
  });

  Deno.test(`${method.name} trains every weight of every network`, async () => {
    using learner = prepareToy(method);
    const before = await learner.weights();
    await train(learner, 2);
    for (const [index, { name, data }] of (await learner.weights()).entries()) {
      if (name.endsWith("singular-vector") || name === "F/growth") continue;
      // Noise or a blur that is given, or measured before training, stays as it is.
      if (name.startsWith("F/") && withoutNoiseSteps.includes(method)) continue;
      if (name.startsWith("h/") && method === spectrumMatching) continue;
      ok(data.some((value, i) => value !== before[index].data[i]), `${name} did not move`);
    }
  });
}

Deno.test("supervised learning brings reconstructions nearer to the truth", async () => {
  using learner = prepareToy(supervised);
  const before = await meanError(learner);
  const log = await train(learner, 150, toyBatches("pairs", { matched: true }));
  const after = await meanError(learner);
  ok(after < 0.5 * before, `${before} before, ${after} after`);
  ok(log[149].generator < 0.5 * log[0].generator);
});

Deno.test("OT-cycleGAN lowers its certificate, and brings reconstructions nearer to the truth without pairs", async () => {
  using learner = prepareToy(otCycleGan);
  const batch = await toyBatches("validation")();
  const [before, first] = [await meanError(learner), await learner.monitor!(batch)];
  await train(learner, 150);
  const [after, last] = [await meanError(learner), await learner.monitor!(batch)];
  ok(after < 0.6 * before, `${before} before, ${after} after`);
  ok(last.certificate < 0.6 * first.certificate, `${first.certificate} before, ${last.certificate} after`);
  tf.dispose([batch.x, batch.y]);
});

Deno.test("the certificate is followed with its terms and the critic's steepest slope", async () => {
  const quantities = async (method: Method) => {
    using learner = prepareToy(method);
    const batch = await toyBatches("validation")();
    const names = Object.keys(await learner.monitor!(batch));
    tf.dispose([batch.x, batch.y]);
    return names;
  };
  const terms = ["cycle-image", "cycle-measurement"];
  deepStrictEqual(await quantities(otCycleGan), [
    "certificate",
    "certificate-mean-absolute",
    ...terms,
    "critic-gradient",
  ]);
  deepStrictEqual(await quantities(otCycleGanNoAdversary), terms);
});

for (const method of methods.filter(({ knows }) => knows.operator === "nothing")) {
  Deno.test(`${method.name} trains on images of one channel with a range, and stays within it at any size`, async () => {
    const [shape, range] = [[22, 18, 1], { low: 0, high: 1 }];
    const problem = { ...toyProblem, imageShape: shape, seenShape: shape, measurementShape: shape, range };
    const own = Object.entries({ ...small, filters: 4, depth: 2 }).filter(([name]) =>
      name in method.settings
    );
    const settings = resolve(method.settings, Object.fromEntries(own), method.name);
    using learner = method.prepare(problem, settings, stream("ranged"));
    const rng = stream("ranged/images");
    const image = (height: number, width: number) =>
      tf.tensor4d(Float32Array.from({ length: height * width }, () => Math.max(0, 2 * rng.uniform() - 1)), [
        1,
        height,
        width,
        1,
      ]);
    const see = (y: tf.Tensor) => tf.clone(y) as tf.Tensor4D;
    await train(learner, 2, () => Promise.resolve({ x: image(22, 18), y: image(22, 18), A: undefined, see }));
    const y = image(37, 29);
    const made = learner.reconstruct(y, { A: undefined, see });
    deepStrictEqual(made.shape, y.shape);
    ok(made.dataSync().every((value) => value >= 0 && value <= 1));
    tf.dispose([y, made]);
  });
}

Deno.test("a method looks at the training data before its updates, and follows the same random numbers each time", async () => {
  const looked: number[] = [];
  const method: Method = defineMethod({
    name: "looking",
    about: "",
    source: "",
    effort: 1,
    settings: { ...generatorSettings, ...trainingSettings },
    knows: { pairs: true, operator: "nothing" },
    networks: (set, { imageShape }, rng) => ({ G: generator(set, imageShape, imageShape, rng.stream("G")) }),
    async fit(_networks, images, measurements) {
      for (const kind of [images, measurements]) {
        for await (const { data } of kind) looked.push(data[0]);
      }
    },
    losses: { generator: ({ G }, { x, y }) => l1(x, G.apply(y)) },
    steps: () => [{ minimise: "generator", over: ["G"], rate: 1e-3 }],
    monitor: (_networks, { random }) => ({ drawn: tf.mean<tf.Scalar>(random.normal([1, 4, 4, 1])) }),
    reconstructs: "G",
  });
  using learner = prepareToy(method);
  const images = async function* (...values: number[]) {
    for (const value of values) yield await Promise.resolve({ shape: [1], data: Float32Array.of(value) });
  };
  await learner.fit!(images(1, 2), images(3));
  deepStrictEqual(looked, [1, 2, 3]);
  const batch = await toyBatches("looking")();
  const first = await learner.monitor!(batch);
  deepStrictEqual(await learner.monitor!(batch), first);
  ok(first.drawn !== 0);
  tf.dispose([batch.x, batch.y]);
});

Deno.test("what is no function of images cannot reconstruct, which is said by name", () => {
  const method: Method = defineMethod({
    name: "formless",
    about: "",
    source: "",
    effort: 1,
    settings: trainingSettings,
    knows: { pairs: true, operator: "nothing" },
    networks: () => ({ F: { weights: [], [Symbol.dispose]: () => {} } }),
    losses: { noise: () => tf.scalar(0) },
    steps: () => [{ minimise: "noise", over: ["F"], rate: 1e-3 }],
    reconstructs: "F",
  });
  throws(() => prepareToy(method), /"formless" reconstructs by "F", which is no function of images/);
});

Deno.test("every unsupervised rival of the same settings has the supervised method's generator, weight for weight", async () => {
  const initial = async (method: Method) => {
    using learner = prepareToy(method, {
      residual: true,
      poolKind: "average",
      initialisation: "he",
      lastScale: 1,
    });
    const weights = (await learner.weights()).filter(({ name }) => name.startsWith("G/"));
    return { weights, parameters: learner.parameters, macs: learner.macs([64, 64, 2]) };
  };
  const expected = await initial(supervised);
  for (const method of methods.filter((method) => method !== redCnn)) {
    deepStrictEqual(await initial(method), expected, method.name);
  }
});

Deno.test("the defaults of every method go together: one --set fits them all", () => {
  const shared = new Map<string, unknown>();
  for (const method of methods) {
    for (const [name, setting] of Object.entries(method.settings)) {
      // Defaults may differ between methods; what a name means may not.
      const kind = [typeof setting.default, setting.whole ?? false, setting.choices ?? []];
      deepStrictEqual(kind, shared.get(name) ?? kind, `${method.name}: ${name}`);
      shared.set(name, kind);
    }
  }
});

Deno.test("learning rates are constant, then fall to 0 in a line or along a cosine", () => {
  strictEqual(scheduled(2, 0, 0.5), 2);
  strictEqual(scheduled(2, 0.49, 0.5), 2);
  strictEqual(scheduled(2, 0.75, 0.5), 1);
  strictEqual(scheduled(2, 1, 0.5), 0);
  strictEqual(scheduled(2, 0.25, 0), 1.5);
  strictEqual(scheduled(2, 0.999, 1), 2);
  strictEqual(scheduled(2, 0.2, 0.5, "cosine"), 2);
  ok(Math.abs(scheduled(2, 0.75, 0.5, "cosine") - 1) < 1e-12);
  ok(Math.abs(scheduled(2, 1 / 3, 0, "cosine") - 1.5) < 1e-12);
});

Deno.test("a learning rate that has fallen to 0 moves no weight", async () => {
  using learner = prepareToy(otCycleGan);
  await train(learner, 1);
  const before = await hash(learner);
  await learner.update!(toyBatches("late"), 1);
  strictEqual(await hash(learner), before);
});

Deno.test("a loss that is not finite is returned as it is", async () => {
  using learner = prepareToy(supervised);
  const draw = async () => {
    const batch = await toyBatches("broken")();
    batch.x.dispose();
    return { ...batch, x: tf.fill<tf.Rank.R4>(batch.y.shape, Infinity) };
  };
  ok(!Number.isFinite((await learner.update!(draw, 0)).generator));
});

Deno.test("a method that knows the operator's form refuses a batch without it", async () => {
  using learner = prepareToy(otCycleGanBlindGaussian);
  const draw = toyBatches("formless");
  const start = tf.memory().numTensors;
  await rejects(learner.update!(async () => ({ ...await draw(), form: undefined }), 0), {
    name: "TypeError",
    message: /knows the operator's form, but was given a batch without one[^]*hand out `form`/,
  });
  strictEqual(tf.memory().numTensors, start);
});

Deno.test("a method that knows the operator refuses a batch without it", async () => {
  using learner = prepareToy(otCycleGan);
  const draw = toyBatches("no operator", { known: false });
  await rejects(learner.update!(draw, 0), /knows the operator, but was given a batch without one/);
});

Deno.test("critic updates on the same batch draw one batch, on fresh ones one more each", async () => {
  const draws = async (freshCriticBatches: boolean) => {
    using learner = prepareToy(wgan, { criticUpdates: 3, freshCriticBatches });
    let count = 0;
    const draw = toyBatches("counted");
    const before = tf.memory().numTensors;
    await learner.update!(() => (count++, draw()), 0);
    const moments = tf.memory().numTensors - before;
    await learner.update!(() => (count++, draw()), 0);
    strictEqual(tf.memory().numTensors, before + moments);
    return count / 2;
  };
  strictEqual(await draws(false), 1);
  strictEqual(await draws(true), 4);
});

/** {@linkcode supervised} in one step whose gradients have at most this norm, and what it makes is doubled. */
function bounded(clipNorm?: number, factor = 2) {
  return defineMethod({
    name: "bounded",
    about: "",
    source: "",
    effort: 1,
    settings: { ...generatorSettings, ...trainingSettings },
    knows: { pairs: true, operator: "nothing" },
    networks: (set, { imageShape, seenShape }, rng) => ({ G: generator(set, seenShape, imageShape, rng) }),
    losses: { generator: ({ G }, { x, y, see }) => l1(x, G.apply(see(y))) },
    steps: () => [{ minimise: "generator", over: ["G"], rate: 1e-3, clipNorm }],
    reconstructs: "G",
    reconstruct: ({ G }, y, { see }) => tf.mul(G.apply(see(y)), factor),
    learned: ({ G }) =>
      Promise.resolve({ first: { shape: [1, 1, 1], data: Float32Array.of(G.weights.length) } }),
  });
}

Deno.test("gradients are scaled down to a norm, together, and left alone below it", async () => {
  const moved = async (clipNorm?: number) => {
    using learner = prepareToy(bounded(clipNorm));
    await train(learner, 4);
    return { hash: await hash(learner), weights: (await learner.weights())[0].data };
  };
  using untrained = prepareToy(bounded());
  const start = (await untrained.weights())[0].data;
  const [free, wide, narrow] = [await moved(), await moved(1e6), await moved(1e-14)];
  strictEqual(wide.hash, free.hash);
  ok(free.weights.some((value, i) => Math.abs(value - start[i]) > 1e-3));
  // Far below Adam's epsilon even the largest gradient counts for nothing.
  ok(narrow.weights.every((value, i) => Math.abs(value - start[i]) < 1e-6));
});

Deno.test("a method may say how its network reconstructs, and show what else it learned", async () => {
  using learner = prepareToy(bounded());
  using plain = prepareToy(bounded(undefined, 1));
  const { x, y, A, see } = await toyBatches("whole")();
  const [once, twice] = tf.tidy(() =>
    [plain, learner].map((one) => one.reconstruct(y, { A, see }).dataSync())
  );
  ok(twice.every((value, i) => Math.abs(value - 2 * once[i]) < 1e-6));
  deepStrictEqual(Object.keys(await learner.learned!()), ["first"]);
  tf.dispose([x, y]);
});

/** A method whose generator counts how often it is applied. */
function counting(batch: "same" | "fresh") {
  const count = { G: 0 };
  const method = defineMethod({
    name: "counting",
    about: "",
    source: "",
    effort: 1,
    settings: { ...generatorSettings, ...trainingSettings },
    knows: { pairs: false, operator: "nothing" },
    networks: (set, { imageShape, seenShape }, rng) => {
      const G = generator(set, seenShape, imageShape, rng.stream("G"));
      const counted = { ...G, apply: (x: tf.Tensor4D) => (count.G++, G.apply(x)) };
      return { G: counted, φ: generator(set, imageShape, imageShape, rng.stream("φ")) };
    },
    fakes: { G: (G, { y, see }) => G.apply(see(y)) },
    losses: {
      generator: ({ φ }, { fake }) => tf.mean(φ.apply(fake.G)),
      critic: ({ φ }, { x, fake }) => tf.sub(l1(x, φ.apply(fake.G)), l1(fake.G, φ.apply(fake.G))),
    },
    steps: () => [
      { minimise: "generator", over: ["G"], rate: 1e-3 },
      { minimise: "critic", over: ["φ"], rate: 1e-3, times: 2, batch },
    ],
    reconstructs: "G",
  });
  return { method, count };
}

Deno.test("a generator makes one fake an update, which the critic shares, and one more for each fresh batch", async () => {
  for (const [batch, expected] of [["same", 1], ["fresh", 3]] as const) {
    const { method, count } = counting(batch);
    using learner = prepareToy(method);
    await train(learner, 1);
    strictEqual(count.G, expected, batch);
  }
});

/** A method that shows `look` the batch of each step, which says how many draws it wants. */
function looking(draws: number, look: (batch: Batch) => void): Method {
  return defineMethod({
    name: "looking",
    about: "",
    source: "",
    effort: 1,
    settings: { ...generatorSettings, ...trainingSettings },
    knows: { pairs: true, operator: "nothing" },
    networks: (set, { imageShape }, rng) => ({ G: generator(set, imageShape, imageShape, rng.stream("G")) }),
    losses: {
      generator: ({ G }, { x, y, see }) => l1(x, G.apply(see(y))),
      more: ({ G }, { x, y, see }) => (look({ x, y, A: undefined, see }), l1(x, G.apply(see(y)))),
    },
    steps: () => [
      { minimise: "generator", over: ["G"], rate: 1e-3 },
      { minimise: "more", over: ["G"], rate: 1e-3, draws, times: 2 },
      { minimise: "more", over: ["G"], rate: 1e-3, draws },
    ],
    reconstructs: "G",
  });
}

Deno.test("steps that ask for more draws share one batch of them, in their order, and pairs stay pairs", async () => {
  const expected = toyBatches("drawn", { matched: true });
  const [own, second, third] = [await expected(), await expected(), await expected()];
  const wanted = tf.concat([second.x, third.x]).dataSync();
  let looks = 0;
  using learner = prepareToy(looking(2, ({ x, y }) => {
    looks += 1;
    deepStrictEqual(x.dataSync(), wanted);
    deepStrictEqual(y.dataSync(), fadingColumns().forward(x).dataSync());
  }));
  await startBackend({ replay: false });
  const log = await train(learner, 1, toyBatches("drawn", { matched: true }));
  await startBackend();
  strictEqual(looks, 3);
  ok(Number.isFinite(log[0].more));
  tf.dispose([own.x, own.y, second.x, second.y, third.x, third.y]);
});

/** The upper half of a batch, which is spent. */
function cropped({ x, y, ...rest }: Batch): Batch {
  const half = (image: tf.Tensor4D) => tf.slice(image, 0, [1, 8, 16, 2]);
  const batch = { ...rest, x: half(x), y: half(y) };
  tf.dispose([x, y]);
  return batch;
}

Deno.test("draws that do not fit together are refused, and given back", async () => {
  using learner = prepareToy(looking(3, () => {}));
  const one = toyBatches("one");
  await train(learner, 2, toyBatches("before"));
  const start = tf.memory().numTensors;
  let drawn = 0;
  await rejects(
    learner.update!(async () => drawn++ === 2 ? cropped(await one()) : await one(), 0),
    /puts 3 batches together, and they differ[^]*\[1,16,16,2\] and \[1,8,16,2\]/,
  );
  strictEqual(tf.memory().numTensors, start);
});

Deno.test("a loss that does not depend on what it is to move is refused, by name", async () => {
  const broken: Method = defineMethod({
    name: "broken",
    about: "",
    source: "",
    effort: 1,
    settings: { ...generatorSettings, ...trainingSettings },
    knows: { pairs: true, operator: "nothing" },
    networks: (set, { imageShape }, rng) => ({
      G: generator(set, imageShape, imageShape, rng.stream("G")),
      F: generator(set, imageShape, imageShape, rng.stream("F")),
    }),
    losses: { generator: ({ G }, { x, y }) => l1(x, G.apply(y)) },
    steps: () => [{ minimise: "generator", over: ["G", "F"], rate: 1e-3 }],
    reconstructs: "G",
  });
  using learner = prepareToy(broken);
  await rejects(train(learner, 1), /does not depend on the weights F\/down0\/1/);
});

Deno.test("cyclegan refuses an identity loss between images and measurements of other channels", async () => {
  const problem = { ...toyProblem, seenShape: [16, 16, 1] };
  const settings = resolve(cycleGan.settings, { residual: false }, "test");
  await rejects(async () => {
    cycleGan.prepare(problem, settings, stream("refused"))[Symbol.dispose]();
    await Promise.resolve();
  }, /--set identity=0/);
  cycleGan.prepare(problem, { ...settings, identity: 0 }, stream("taken"))[Symbol.dispose]();
});

Deno.test("what a definition misspells is a compile error", () => {
  // The errors are expected by `deno check`, which fails where there is none.
  const common = {
    name: "typed",
    about: "",
    source: "",
    effort: 1,
    settings: { ...generatorSettings, ...trainingSettings },
    networks: () => ({ G: {} as ReturnType<typeof generator> }),
  } as const;
  const loss = () => tf.scalar(0);

  defineMethod({
    ...common,
    knows: { pairs: false, operator: "exactly" },
    losses: { generator: loss },
    steps: () => [{
      // @ts-expect-error: there is no such loss
      minimise: "generatr",
      // @ts-expect-error: there is no such network
      over: ["H"],
      rate: 1,
    }],
    reconstructs: "G",
  });

  defineMethod({
    ...common,
    knows: { pairs: false, operator: "exactly" },
    // @ts-expect-error: no network F makes anything
    fakes: { F: () => tf.zeros<tf.Rank.R4>([1, 1, 1, 1]) },
    losses: { generator: loss },
    steps: () => [{ minimise: "generator", over: ["G"], rate: 1 }],
    // @ts-expect-error: there is no such network
    reconstructs: "F",
  });

  defineMethod({
    ...common,
    knows: { pairs: false, operator: "exactly" },
    losses: {
      // @ts-expect-error: no network ψ
      network: ({ ψ }) => tf.mean(ψ.apply(tf.zeros([1, 1, 1, 1]))),
      // @ts-expect-error: no setting named so
      setting: (_networks, _scene, set) => tf.scalar(set.gama),
      // An operator that is known is there.
      operator: (_networks, { x, A }) => tf.mean(A.forward(x)),
    },
    steps: () => [{ minimise: "operator", over: ["G"], rate: 1 }],
    reconstructs: "G",
  });

  defineMethod({
    ...common,
    ...knownOperator,
    losses: {
      // @ts-expect-error: it has no critic φ, and no γ among its settings
      generator: transportLoss,
    },
    // @ts-expect-error: it has no settings of critics, and no loss "critic"
    steps: (set) => generatorThenCritic(set),
  });

  defineMethod({
    ...common,
    ...knownOperator,
    settings: { ...cycleSettings, ...criticSettings },
    losses: { generator: loss, critics: loss },
    // @ts-expect-error: there is no loss "critic", and no network φ
    steps: (set) => generatorThenCritic(set),
  });

  defineMethod({
    ...common,
    knows: { pairs: false, operator: "nothing" },
    losses: {
      // @ts-expect-error: an operator that may not be known may not be there
      operator: (_networks, { x, A }) => tf.mean(A.forward(x)),
    },
    steps: () => [{ minimise: "operator", over: ["G"], rate: 1 }],
    reconstructs: "G",
  });
});

Deno.test("load() makes a learner of another seed reconstruct as the one that gave the weights, to the bit", async () => {
  for (const method of methods) {
    using giver = prepareToy(method, {}, "giver");
    using taker = prepareToy(method, {}, "taker");
    await train(giver, 2, toyBatches("training", { matched: method.knows.pairs }));
    const { y, A, see } = await toyBatches("test", { matched: true })();
    const made = async (learner: Learner) => {
      const image = tf.tidy(() => learner.reconstruct(y, { A, see }));
      const data = await image.data();
      image.dispose();
      return data;
    };
    const expected = await made(giver);
    taker.load!(await giver.weights());
    deepStrictEqual(await made(taker), expected, method.name);
    strictEqual(await hash(taker), await hash(giver), method.name);
    const [first, ...others] = await giver.weights();
    throws(() => taker.load!(others), /the weights are of other networks: .*, where there is /);
    throws(() => taker.load!([{ ...first, shape: [1, ...first.shape] }, ...others]), TypeError);
    tf.dispose(y);
  }
});
